"""What a JPEG stream is to DICOM: its colour, the transfer syntax that has a place for it, or why none has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from bulkdcm.errors import PixelError
from bulkdcm.images import jpeg_form

if TYPE_CHECKING:
    from bulkdcm.images.jpeg_stream import JpegStream
    from bulkdcm.setting_parts import PixelSettings

BASELINE, EXTENDED, LOSSLESS, LOSSLESS_SV1 = (f"1.2.840.10008.1.2.4.{n}" for n in ("50", "51", "57", "70"))
_RGB_IDS = tuple(b"RGB")
_TAKEN_FOR_RGB = {_RGB_IDS, tuple(b"rgb")}  # by pydicom; libjpeg knows the first only


class Coding(NamedTuple):
    """What a stream is, and where it may go."""

    color: Literal["gray", "ycc", "rgb", "cmyk"]
    transfer_syntax_uid: str
    """Empty where the stream can't be encapsulated."""
    why_decoded: str = ""

    @property
    def photometric_interpretation(self) -> str:
        """What the pixels are called in the stream (PS3.5 8.2.1)."""
        return {"gray": "MONOCHROME2", "ycc": "YBR_FULL_422", "rgb": "RGB", "cmyk": "RGB"}[self.color]


def coding_of(stream: JpegStream, path: str, settings: PixelSettings) -> Coding:
    """Return what a stream is.

    Raises
    ------
    PixelError
        If it can't be used at all.
    """
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
        return Coding("cmyk", "", "CMYK converted to RGB")
    if stream.process == 3:
        return _lossless(stream, color, path)
    if stream.process in {0, 1} and stream.precision == 8:
        return _eight_bit(stream, color)
    if stream.process == 1 and stream.precision == 12 and color == "gray":
        return Coding("gray", EXTENDED)
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
    return Coding(color, "", f"{name} JPEG has no transfer syntax in use")


def _lossless(stream: JpegStream, color: Literal["gray", "ycc", "rgb"], path: str) -> Coding:
    if color == "ycc" and (stream.jfif or stream.adobe_transform == 1):
        msg = f"{path}: lossless JPEG in YCbCr has no Photometric Interpretation in DICOM. Export it as PNG."
        raise PixelError(msg)
    if color != "gray" and stream.precision > 8:
        msg = f"{path}: {stream.precision}-bit colour in lossless JPEG is read by no DICOM reader. Export it as 16-bit PNG."
        raise PixelError(msg)
    # Lossless JPEG is written without a colour transform unless a marker says so.
    return Coding("gray" if color == "gray" else "rgb", LOSSLESS_SV1 if stream.predictor == 1 else LOSSLESS)


def _eight_bit(stream: JpegStream, color: Literal["gray", "ycc", "rgb"]) -> Coding:
    if stream.lines_in_dnl:
        return Coding(color, "", "its height comes after its pixels (DNL)")
    if jpeg_form.standard_tables_fit(stream):
        return Coding(color, "", "it has no Huffman tables, and the typical ones fit (T.81 K.3)")
    if stream.process == 1:
        if color == "gray":
            return Coding("gray", EXTENDED)
        return Coding(color, "", "extended sequential colour JPEG is not read everywhere")
    if color == "rgb" and stream.adobe_transform != 0:
        return Coding("rgb", "", "RGB that only its component names tell")
    if color == "ycc" and stream.component_ids in _TAKEN_FOR_RGB:
        # JFIF or Adobe says YCbCr; without those segments decoders would take the names at their word.
        return Coding("ycc", "", f"YCbCr under the component names {', '.join(map(chr, stream.component_ids))}")
    return Coding(color, BASELINE)
