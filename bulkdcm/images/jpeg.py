"""JPEG of every coding: passed through unchanged where DICOM has a place for the stream, else decoded.

What may be encapsulated, and under which name, is measured: PS3.5 8.2.1 and annex A.4.1 allow it, and every common
reader decodes it. The rest is decoded to native pixels, or refused with the reason.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from bulkdcm.errors import PixelError
from bulkdcm.images import (
    alpha,
    density,
    exif,
    failures,
    icc,
    jpeg_form,
    jpeg_stream,
    jpeg_strict,
    jpeg_transcode,
    limits,
    native,
    orientation,
)
from bulkdcm.images.jpeg_coding import BASELINE, coding_of
from bulkdcm.model import Frame, Lossy

if TYPE_CHECKING:
    from bulkdcm.images.jpeg_coding import Coding
    from bulkdcm.images.jpeg_stream import JpegStream
    from bulkdcm.model import IOD, Pixels, Source
    from bulkdcm.setting_parts import PixelSettings

METHOD = "ISO_10918_1"
TRANSCODE = "transcode"
_TRUSTED = {"trust": "stream not decoded (--streams trust)", "decode": "stream decoded without a warning"}
_ADOBE_TRANSFORMS = {-1, 0, 1}  # of three components


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
        If the stream is damaged, or can be neither passed through nor decoded.
    """
    stream = jpeg_stream.parse(source.data, source.path)
    limits.check(source.path, (stream.rows, stream.columns), len(stream.component_ids), stream.precision, settings)
    coding = coding_of(stream, source.path, settings)
    jpeg_form.check(stream, source.data, source.path)
    said = _said(stream, coding)
    why = _why_decode(stream, coding, settings, iod)
    if settings.jpeg == TRANSCODE and _can_move(stream, coding, settings, iod):
        moved, not_moved = _moved(source, stream, coding, settings, iod)
        if moved:
            return moved
        said = (*said, f"not transcoded: {not_moved}")
    if why:
        return _decoded(source, stream, coding, settings, (*said, f"decoded: {why}"))
    return _passed_through(source, stream, coding, settings, ("passed through", *said))


def _can_move(stream: JpegStream, coding: Coding, settings: PixelSettings, iod: IOD) -> bool:
    """Whether the coefficients may go into another baseline stream, and there is a reason to move them."""
    lossy = stream.precision == 8 and stream.process != jpeg_form.LOSSLESS and coding.color != "cmyk"
    whole = not stream.lines_in_dnl and not jpeg_form.standard_tables_fit(stream)
    if not (lossy and whole and _passes(settings, BASELINE)) or settings.invert:
        return False
    turned = exif.geometry(stream.exif).orientation != 1
    return stream.process != jpeg_form.BASELINE or stream.scans > 1 or turned or _only_gray(coding, settings, iod)


def _only_gray(coding: Coding, settings: PixelSettings, iod: IOD) -> bool:
    """Whether the class takes no YCbCr, so that nothing but its luma could go there."""
    return coding.color == "ycc" and not settings.keep_color and "YBR_FULL_422" not in iod.photometric_interpretations


def _moved(
    source: Source, stream: JpegStream, coding: Coding, settings: PixelSettings, iod: IOD
) -> tuple[Frame | None, str]:
    """Return the frame of a baseline stream with the same coefficients; None and the reason if there can be none."""
    gray = _only_gray(coding, settings, iod)
    if gray and alpha.collapse(jpeg_strict.decode(stream, source.data, coding.color, source.path))[0].ndim > 2:
        return None, "its chroma isn't neutral"
    turned = exif.geometry(stream.exif).orientation
    data, why = jpeg_transcode.transcoded(source.data, turned, gray=gray)
    if why:
        return None, why
    new = jpeg_stream.parse(data, source.path)
    new.icc_profile = stream.icc_profile
    becomes = coding_of(new, source.path, settings)
    if becomes.why_decoded or becomes.photometric_interpretation not in iod.photometric_interpretations:
        return None, becomes.why_decoded or f"{iod.keyword} takes no {becomes.color} stream"
    said = [f"transcoded to baseline with the same coefficients by {jpeg_transcode.version()}", *_said(stream, becomes)]
    if gray:
        said.append("luma alone: the chroma is neutral")
    if turned != 1:
        said.append(orientation.words(turned))
    frame = _passed_through(replace(source, data=data), new, becomes, settings, tuple(said))
    square = density.aspect_ratio(*_densities(stream), turned)
    return replace(frame, lossy=_lossy(stream, source), aspect_ratio=square), ""


def _said(stream: JpegStream, coding: Coding) -> tuple[str, ...]:
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


def _why_decode(stream: JpegStream, coding: Coding, settings: PixelSettings, iod: IOD) -> str:
    """Return why the stream has to be decoded, or an empty string."""
    if coding.why_decoded:
        return coding.why_decoded
    if not _passes(settings, coding.transfer_syntax_uid):
        return f"--transfer-syntax {settings.transfer_syntax}"
    if settings.invert:
        return "to be inverted"
    if (turned := exif.geometry(stream.exif).orientation) != 1:
        return f"EXIF orientation {turned}"
    if coding.photometric_interpretation not in iod.photometric_interpretations:
        return f"{iod.keyword} takes no {coding.color} stream"
    return ""


def _densities(stream: JpegStream) -> tuple[float, float]:
    found = density.of_jfif(stream.jfif)
    return found if all(found) else exif.geometry(stream.exif)[1:]


def _passes(settings: PixelSettings, transfer_syntax_uid: str) -> bool:
    """Whether the settings let streams of a transfer syntax be passed through."""
    is_asked_for = settings.compression == "jpeg-baseline" and transfer_syntax_uid == BASELINE
    return settings.transfer_syntax == "auto" or is_asked_for


def _lossy(stream: JpegStream, source: Source) -> tuple[Lossy, ...]:
    if stream.process == 3:
        return ()
    size = stream.rows * stream.columns * len(stream.component_ids) * (1 if stream.precision == 8 else 2)
    return (Lossy(ratio=size / (len(source.data) - stream.trailing_bytes), method=METHOD),)


def _passed_through(
    source: Source, stream: JpegStream, coding: Coding, settings: PixelSettings, said: tuple[str, ...]
) -> Frame:
    encoded = stream.without_metadata(source.data, keep_adobe=coding.color == "rgb")
    if settings.streams == "decode":
        jpeg_strict.check(encoded, coding.color, source.path)
    carried = icc.input_profile(stream.icc_profile) if coding.color != "gray" else icc.Carried()
    return Frame(
        rows=stream.rows,
        columns=stream.columns,
        samples_per_pixel=len(stream.component_ids),
        bits_stored=stream.precision,
        photometric_interpretation=coding.photometric_interpretation,
        streams=(encoded,),
        transfer_syntax_uid=coding.transfer_syntax_uid,
        lossy=_lossy(stream, source),
        icc_profile=carried.profile,
        color_space=carried.color_space,
        aspect_ratio=density.aspect_ratio(*_densities(stream)),
        decisions=tuple(part for part in (said[0], _TRUSTED[settings.streams], *said[1:], carried.said) if part),
    )


def _decoded(
    source: Source, stream: JpegStream, coding: Coding, settings: PixelSettings, said: tuple[str, ...]
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
    across, down = _densities(stream)
    facts = native.FileFacts(
        across=across,
        down=down,
        orientation=exif.geometry(stream.exif).orientation,
        icc_profile=stream.icc_profile if coding.color != "cmyk" else b"",
        lossy=_lossy(stream, source),
    )
    return native.frame_of(pixels, facts, settings, said)


def _from_cmyk(source: Source, stream: JpegStream) -> Pixels:
    what = f"{source.path}: the JPEG can't be decoded"
    size_bytes = stream.rows * stream.columns * len(stream.component_ids)
    with (
        failures.decoding(what, "Fetch the file again, or export it again.", size_bytes),
        Image.open(io.BytesIO(source.data), formats=("JPEG", "MPO")) as image,
    ):
        return np.asarray(image.convert("CMYK").convert("RGB"))
