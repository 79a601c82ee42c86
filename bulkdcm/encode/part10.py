"""A Part 10 file through pydicom: the encoder of record."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pydicom import dcmwrite
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from bulkdcm.errors import EncodeError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from bulkdcm.model import Frame

# Constants, not the release's: the same input gives the same bytes after an update.
IMPLEMENTATION_CLASS_UID = UID("2.25.226543287170306389154022203868542829531")
IMPLEMENTATION_VERSION_NAME = "BULKDCM"

_NATIVE: dict[str, str] = {
    "auto": ExplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}
_BASIC_OFFSET_TABLE_END = 2**32
_PIXEL_DATA = 0x7FE00010


def encode(dataset: Dataset, frame: Frame, transfer_syntax: str) -> tuple[bytes, str]:
    """Return the file's bytes and its transfer syntax UID.

    Parameters
    ----------
    dataset
        Without Pixel Data, which this puts in.
    frame
        Pixels, or streams with their own transfer syntax.
    transfer_syntax
        As in the settings; says how pixels are written that are not compressed.

    Raises
    ------
    EncodeError
        Where pydicom refuses the dataset.
    """
    if frame.streams:
        uid = UID(frame.transfer_syntax_uid)
        pixel_data = _encapsulated(dataset, frame.streams)
    elif frame.pixels is not None:
        uid = UID(_NATIVE[transfer_syntax])
        data = frame.pixels.astype(frame.pixels.dtype.newbyteorder("<"), copy=False).tobytes()
        word = frame.bits_allocated > 8 or uid == ImplicitVRLittleEndian  # PS3.5 A.1, A.2
        pixel_data = DataElement(_PIXEL_DATA, "OW" if word else "OB", data + b"\0" * (len(data) % 2))
    else:
        msg = "the frame has neither pixels nor a stream."
        raise EncodeError(msg)
    dataset.add(pixel_data)
    return encode_file(dataset, uid), uid


def encode_file(dataset: Dataset, transfer_syntax_uid: str) -> bytes:
    """Return the bytes of a file whose dataset is whole.

    Parameters
    ----------
    dataset
        With its pixels, where it has any, already in `transfer_syntax_uid`.
    transfer_syntax_uid
        Of PS3.5 annex A.

    Raises
    ------
    EncodeError
        Where pydicom refuses the dataset.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    dataset.file_meta = meta
    buffer = io.BytesIO()
    try:
        dcmwrite(buffer, dataset, enforce_file_format=True)
    except Exception as error:
        msg = f"the dataset can't be encoded: {error}."
        raise EncodeError(msg) from error
    return buffer.getvalue()


def _encapsulated(dataset: Dataset, streams: tuple[bytes, ...]) -> DataElement:
    """Return Pixel Data of one fragment a frame, with an Extended Offset Table where the Basic one can't reach (PS3.5 A.4)."""
    if sum(len(stream) + 9 for stream in streams) < _BASIC_OFFSET_TABLE_END:
        value = encapsulate(list(streams), has_bot=True)
    else:
        value, offsets, lengths = encapsulate_extended(list(streams))
        dataset.add(DataElement(0x7FE00001, "OV", offsets))
        dataset.add(DataElement(0x7FE00002, "OV", lengths))
    pixel_data = DataElement(_PIXEL_DATA, "OB", value)
    pixel_data.is_undefined_length = True
    return pixel_data
