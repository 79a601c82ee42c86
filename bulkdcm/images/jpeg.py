"""JPEG of every coding: passed through unchanged where DICOM has a place for the stream, else decoded.

What may be encapsulated, and under which name, is measured: PS3.5 8.2.1 and annex A.4.1 allow it, and every common
reader decodes it. The rest is decoded to native pixels, or refused with the reason.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from PIL import Image

from bulkdcm.errors import PixelError
from bulkdcm.images import failures, icc, jpeg_form, jpeg_stream, jpeg_strict, limits, native, orientation
from bulkdcm.model import Frame, Lossy

if TYPE_CHECKING:
    from bulkdcm.images.jpeg_stream import JpegStream
    from bulkdcm.model import IOD, Pixels, Source
    from bulkdcm.setting_parts import PixelSettings

BASELINE, EXTENDED, LOSSLESS, LOSSLESS_SV1 = (f"1.2.840.10008.1.2.4.{n}" for n in ("50", "51", "57", "70"))
METHOD = "ISO_10918_1"
_RGB_IDS = tuple(b"RGB")
_TAKEN_FOR_RGB = {_RGB_IDS, tuple(b"rgb")}  # by pydicom; libjpeg knows the first only
_TRUSTED = {"trust": "stream not decoded (--streams trust)", "decode": "stream decoded without a warning"}
_ADOBE_TRANSFORMS = {-1, 0, 1}  # of three components


class _Coding(NamedTuple):
    """What a stream is, and where it may go."""

    color: Literal["gray", "ycc", "rgb", "cmyk"]
    transfer_syntax_uid: str
    """Empty where the stream can't be encapsulated."""
    why_decoded: str = ""


def read(source: Source, settings: PixelSettings, iod: IOD) -> Frame:
    """Return the frame of a JPEG file.

    Parameters
    ----------
    source
        Its data begins with SOI.
    settings
        Whether streams may be passed through, and the limits.
    iod
        The SOP class, which says what streams it takes.

    Raises
    ------
    PixelError
        Where the stream is damaged, or can be neither passed through nor decoded.
    """
    stream = jpeg_stream.parse(source.data, source.path)
    limits.check(source.path, (stream.rows, stream.columns), len(stream.component_ids), stream.precision, settings)
    coding = _coding(stream, source.path, settings)
    jpeg_form.check(stream, source.data, source.path)
    said = _said(stream, coding)
    why = _why_decode(stream, coding, settings, iod)
    if why:
        return _decoded(source, stream, coding, settings, (*said, f"decoded: {why}"))
    return _passed_through(source, stream, coding, settings, said)


def _said(stream: JpegStream, coding: _Coding) -> tuple[str, ...]:
    """Return what is to be known of a stream however it is used."""
    said = []
    if stream.trailing_bytes:
        said.append(f"{stream.trailing_bytes} bytes after the first image left out")
    if len(stream.component_ids) == 3:
        if stream.jfif and stream.adobe_transform == 0:
            said.append("JFIF says YCbCr and Adobe RGB: read as YCbCr, as libjpeg does")
        elif stream.adobe_transform not in _ADOBE_TRANSFORMS:
            said.append(f"Adobe transform {stream.adobe_transform} means nothing in three components: read as YCbCr")
    if coding.color == "gray" and stream.icc_profile:
        said.append(icc.GRAY)
    return tuple(said)


def _coding(stream: JpegStream, path: str, settings: PixelSettings) -> _Coding:
    """Classify the stream; raise where it can't be used at all."""
    count = len(stream.component_ids)
    if count == 1:
        color: Literal["gray", "ycc", "rgb", "cmyk"] = "gray"
    elif count == 3:
        # As libjpeg has it: JFIF is YCbCr whatever follows, then the Adobe segment counts, then the components' names.
        says_rgb = stream.adobe_transform == 0 or (stream.adobe_transform < 0 and stream.component_ids == _RGB_IDS)
        color = "rgb" if says_rgb and not stream.jfif else "ycc"
    elif count == 4:
        color = "cmyk"
    else:
        msg = f"{path}: a JPEG of {count} components is no image DICOM knows. Export it as gray or RGB."
        raise PixelError(msg)
    if color == "cmyk":
        if not settings.convert_cmyk or stream.precision != 8:
            msg = f"{path}: a CMYK JPEG has no place in DICOM. Give --convert-cmyk, or export it as RGB."
            raise PixelError(msg)
        return _Coding("cmyk", "", "CMYK converted to RGB")
    if stream.process == 3:
        return _lossless(stream, color, path)
    if stream.process in {0, 1} and stream.precision == 8:
        return _eight_bit(stream, color)
    if stream.process == 1 and stream.precision == 12 and color == "gray":
        return _Coding("gray", EXTENDED)
    if stream.precision != 8:
        msg = (
            f"{path}: a {stream.precision}-bit {color} JPEG can't be encapsulated or decoded exactly. Export it as PNG."
        )
        raise PixelError(msg)
    name = {2: "progressive", 9: "arithmetic", 10: "progressive arithmetic"}.get(stream.process)
    if name is None:
        msg = (
            f"{path}: JPEG process SOF{stream.process} (hierarchical) can't be read. Export it as baseline JPEG or PNG."
        )
        raise PixelError(msg)
    return _Coding(color, "", f"{name} JPEG has no transfer syntax in use")


def _lossless(stream: JpegStream, color: Literal["gray", "ycc", "rgb"], path: str) -> _Coding:
    if color == "ycc" and (stream.jfif or stream.adobe_transform == 1):
        msg = f"{path}: lossless JPEG in YCbCr has no Photometric Interpretation in DICOM. Export it as PNG."
        raise PixelError(msg)
    if color != "gray" and stream.precision > 8:
        msg = f"{path}: {stream.precision}-bit colour in lossless JPEG is read by no DICOM reader. Export it as 16-bit PNG."
        raise PixelError(msg)
    # Lossless JPEG is written without a colour transform unless a marker says so.
    return _Coding("gray" if color == "gray" else "rgb", LOSSLESS_SV1 if stream.predictor == 1 else LOSSLESS)


def _eight_bit(stream: JpegStream, color: Literal["gray", "ycc", "rgb"]) -> _Coding:
    if stream.lines_in_dnl:
        return _Coding(color, "", "its height stands after its pixels (DNL)")
    if jpeg_form.standard_tables_fit(stream):
        return _Coding(color, "", "it has no Huffman tables, and the typical ones fit (T.81 K.3)")
    if stream.process == 1:
        if color == "gray":
            return _Coding("gray", EXTENDED)
        return _Coding(color, "", "extended sequential colour JPEG is not read everywhere")
    if color == "rgb" and stream.adobe_transform != 0:
        return _Coding("rgb", "", "RGB that only its component names tell")
    if color == "ycc" and stream.component_ids in _TAKEN_FOR_RGB:
        # JFIF or Adobe says YCbCr; without those segments decoders would take the names at their word.
        return _Coding("ycc", "", f"YCbCr under the component names {', '.join(map(chr, stream.component_ids))}")
    return _Coding(color, BASELINE)


def _why_decode(stream: JpegStream, coding: _Coding, settings: PixelSettings, iod: IOD) -> str:
    """Return why the stream has to be decoded, or an empty string."""
    if coding.why_decoded:
        return coding.why_decoded
    passes = settings.transfer_syntax == "auto" or (
        settings.compression == "jpeg-baseline" and coding.transfer_syntax_uid == BASELINE
    )
    if not passes:
        return f"--transfer-syntax {settings.transfer_syntax}"
    if settings.invert:
        return "to be inverted"
    if (turned := orientation.orientation_of(stream.exif)) != 1:
        return f"EXIF orientation {turned}"
    if _photometric_interpretation(coding) not in iod.photometric_interpretations:
        return f"{iod.keyword} takes no {coding.color} stream"
    return ""


def _photometric_interpretation(coding: _Coding) -> str:
    return {"gray": "MONOCHROME2", "ycc": "YBR_FULL_422", "rgb": "RGB", "cmyk": "RGB"}[coding.color]


def _lossy(stream: JpegStream, source: Source) -> tuple[Lossy, ...]:
    if stream.process == 3:
        return ()
    size = stream.rows * stream.columns * len(stream.component_ids) * (1 if stream.precision == 8 else 2)
    return (Lossy(ratio=size / (len(source.data) - stream.trailing_bytes), method=METHOD),)


def _passed_through(
    source: Source, stream: JpegStream, coding: _Coding, settings: PixelSettings, said: tuple[str, ...]
) -> Frame:
    encoded = stream.without_metadata(source.data, keep_adobe=coding.color == "rgb")
    if settings.streams == "decode":
        jpeg_strict.check(encoded, coding.color, source.path)
    profile, about = icc.input_profile(stream.icc_profile) if coding.color != "gray" else (b"", "")
    return Frame(
        rows=stream.rows,
        columns=stream.columns,
        samples_per_pixel=len(stream.component_ids),
        bits_stored=stream.precision,
        photometric_interpretation=_photometric_interpretation(coding),
        streams=(encoded,),
        transfer_syntax_uid=coding.transfer_syntax_uid,
        lossy=_lossy(stream, source),
        icc_profile=profile,
        decisions=tuple(part for part in ("passed through", _TRUSTED[settings.streams], *said, about) if part),
    )


def _decoded(
    source: Source, stream: JpegStream, coding: _Coding, settings: PixelSettings, said: tuple[str, ...]
) -> Frame:
    if stream.process == 3 or stream.precision != 8:
        msg = (
            f"{source.path}: {stream.precision}-bit {'lossless' if stream.process == 3 else 'extended'} JPEG can only be passed "
            f"through, and here it would have to be decoded ({said[-1].removeprefix('decoded: ')}). Export it as PNG."
        )
        raise PixelError(msg)
    if coding.color == "cmyk":
        pixels = _from_cmyk(source, stream)
    else:
        pixels = jpeg_strict.decode(stream, source.data, coding.color, source.path)
    # A CMYK profile describes what the pixels no longer are.
    facts = native.FileFacts(
        orientation=orientation.orientation_of(stream.exif),
        icc_profile=stream.icc_profile if coding.color != "cmyk" else b"",
        lossy=_lossy(stream, source),
    )
    return native.frame_of(pixels, facts, settings, said)


def _from_cmyk(source: Source, stream: JpegStream) -> Pixels:
    what = f"{source.path}: the JPEG can't be decoded"
    size_bytes = stream.rows * stream.columns * len(stream.component_ids)
    with (
        failures.decoding(what, "Fetch the file again, or export it anew.", size_bytes),
        Image.open(io.BytesIO(source.data), formats=("JPEG", "MPO")) as image,
    ):
        return np.asarray(image.convert("CMYK").convert("RGB"))
