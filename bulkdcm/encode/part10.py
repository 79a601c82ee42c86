"""A Part 10 file through pydicom: the encoder of record."""

from __future__ import annotations

import io
import struct
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from pydicom import dcmwrite
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from bulkdcm.encode.encoded import dataset_bytes, file_head
from bulkdcm.errors import EncodeError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from bulkdcm.elements import Elements
    from bulkdcm.model import Frame

    Buffer = bytes | memoryview

# Constants, not the release's: the same input gives the same bytes after an update.
IMPLEMENTATION_CLASS_UID = UID("2.25.226543287170306389154022203868542829531")
IMPLEMENTATION_VERSION_NAME = "BULKDCM"

_NATIVE: dict[str, UID] = {
    "auto": ExplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}
_BASIC_OFFSET_TABLE_END, _UNDEFINED = 2**32, 0xFFFFFFFF
_ITEM, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"
_PIXEL_DATA, _SOP_CLASS_UID, _SOP_INSTANCE_UID = 0x7FE00010, 0x00080016, 0x00080018


def encode(dataset: Elements, frame: Frame, transfer_syntax: str) -> tuple[list[Buffer], str]:
    """Return the file's bytes in pieces, and its transfer syntax UID.

    Parameters
    ----------
    dataset
        Without Pixel Data, which comes last in the file.
    frame
        Pixels, or streams with their own transfer syntax.
    transfer_syntax
        As in the settings; says how pixels are written that are not compressed.

    Returns
    -------
    pieces
        To be written one after another. Native pixels are a view of the frame's own memory: pydicom would copy them three
        times.
    transfer_syntax_uid
        Of the file.

    Raises
    ------
    EncodeError
        If pydicom refuses the dataset.
    """
    if frame.streams:
        pixel_data = _encapsulated(dataset, frame.streams)
        return [_encode_known(dataset, _uid_of(frame.transfer_syntax_uid)), *pixel_data], frame.transfer_syntax_uid
    if frame.pixels is None:
        msg = "the frame has neither pixels nor a stream."
        raise EncodeError(msg)
    uid = _NATIVE[transfer_syntax]
    pixels = np.ascontiguousarray(frame.pixels.astype(frame.pixels.dtype.newbyteorder("<"), copy=False))
    word = frame.bits_allocated > 8 or uid == ImplicitVRLittleEndian  # PS3.5 A.1, A.2
    if uid == DeflatedExplicitVRLittleEndian:
        data = pixels.tobytes()
        dataset.add(DataElement(_PIXEL_DATA, "OW" if word else "OB", data + b"\0" * (len(data) % 2)))
        return [encode_file(dataset.dataset(), uid)], uid
    length = pixels.nbytes + pixels.nbytes % 2
    head = struct.pack("<HH", _PIXEL_DATA >> 16, _PIXEL_DATA & 0xFFFF)
    head += struct.pack("<I", length) if uid.is_implicit_VR else struct.pack("<2s2xI", b"OW" if word else b"OB", length)
    return [
        _encode_known(dataset, uid),
        head,
        memoryview(pixels.reshape(-1).view(np.uint8).data),
        b"\0" * (pixels.nbytes % 2),
    ], uid


@lru_cache(maxsize=256)
def _uid_of(text: str) -> UID:
    return UID(text)  # which pydicom looks at each time


def _encode_known(dataset: Elements, uid: UID) -> bytes:
    """Return what `encode_file` would, of a dataset that `iods.build` has made: its elements are encoded once for all rows."""
    head = file_head(
        dataset[_SOP_CLASS_UID].value,
        dataset[_SOP_INSTANCE_UID].value,
        uid,
        (IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME),
    )
    try:
        return head + dataset_bytes(dataset, implicit_vr=uid.is_implicit_VR)
    except MemoryError:
        raise
    except Exception as error:
        msg = f"the dataset can't be encoded: {error}."
        raise EncodeError(msg) from error


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
        If pydicom refuses the dataset.
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
    except MemoryError:
        raise
    except Exception as error:
        msg = f"the dataset can't be encoded: {error}."
        raise EncodeError(msg) from error
    return buffer.getvalue()


def _encapsulated(dataset: Elements, streams: tuple[bytes, ...]) -> list[Buffer]:
    """Return Pixel Data of one fragment a frame, with an Extended Offset Table where the Basic one can't reach (PS3.5 A.4)."""
    sizes = [len(stream) + len(stream) % 2 for stream in streams]
    offsets = [0, *accumulate(size + 8 for size in sizes[:-1])]
    table = b""
    if offsets[-1] < _BASIC_OFFSET_TABLE_END:
        table = struct.pack(f"<{len(offsets)}I", *offsets)
    else:
        dataset.add(DataElement(0x7FE00001, "OV", struct.pack(f"<{len(offsets)}Q", *offsets)))
        dataset.add(DataElement(0x7FE00002, "OV", struct.pack(f"<{len(sizes)}Q", *sizes)))
    pieces: list[Buffer] = [
        struct.pack("<HH2s2xI", 0x7FE0, 0x0010, b"OB", _UNDEFINED),
        _ITEM,
        struct.pack("<I", len(table)),
        table,
    ]
    for stream, size in zip(streams, sizes, strict=True):
        pieces += [_ITEM, struct.pack("<I", size), stream, b"\0" * (size - len(stream))]
    return [*pieces, _SEQUENCE_END]
