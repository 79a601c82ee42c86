"""Elements to bytes, each element encoded once: most of a row's elements are those of its study and series.

pydicom encodes each element; what is new here is only that its bytes are kept for the next row that has the very same
one. A differential test holds the whole to what `dcmwrite` gives.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element

if TYPE_CHECKING:
    from bulkdcm.elements import Elements

_UTF8 = ["utf-8"]  # ISO_IR 192, which every dataset of ours has
_MOST, _MOST_BYTES = 65_536, 512  # profiles and long texts would fill the memory
_PREAMBLE = bytes(128) + b"DICM"
_VERSION = b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01"
# By the element's own identity: equal cells give the very same element (see `values.element`).
_kept: dict[bool, dict[int, tuple[object, bytes]]] = {False: {}, True: {}}


def dataset_bytes(dataset: Elements, *, implicit_vr: bool) -> bytes:
    """Return the encoded elements of `dataset` in the order of their tags.

    Parameters
    ----------
    dataset
        In ISO_IR 192.
    implicit_vr
        Implicit VR Little Endian; else explicit.
    """
    parts = []
    known = _kept[implicit_vr]
    for _, element in sorted(dataset.items()):
        kept = known.get(id(element))
        if kept is not None and kept[0] is element:
            parts.append(kept[1])
            continue
        data = _encoded(element, implicit_vr=implicit_vr)
        if len(data) <= _MOST_BYTES:
            if len(known) >= _MOST:
                known.clear()
            known[id(element)] = (element, data)
        parts.append(data)
    return b"".join(parts)


def _encoded(element: DataElement, *, implicit_vr: bool) -> bytes:
    if element.VR == "UI" and isinstance(element.value, str):  # each object's own, so never kept
        return _uid(element.tag, element.value, implicit_vr=implicit_vr)
    buffer = DicomBytesIO()
    buffer.is_little_endian = True
    buffer.is_implicit_VR = implicit_vr
    write_data_element(buffer, element, _UTF8)
    return buffer.getvalue()


def _uid(tag: int, uid: str, *, implicit_vr: bool) -> bytes:
    data = uid.encode("ascii")
    data += b"\0" * (len(data) % 2)
    if implicit_vr:
        return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(data)) + data
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, b"UI", len(data)) + data


def file_head(
    sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str, implementation: tuple[str, str]
) -> bytes:
    """Return preamble and File Meta Information (PS3.10 7.1).

    Parameters
    ----------
    sop_class_uid, sop_instance_uid, transfer_syntax_uid
        Of the file.
    implementation
        Class UID and version name.
    """
    meta = b"".join(
        (
            _VERSION,
            _meta(0x0002, "UI", sop_class_uid),
            _uid(0x00020003, sop_instance_uid, implicit_vr=False),
            _meta(0x0010, "UI", transfer_syntax_uid),
            _meta(0x0012, "UI", implementation[0]),
            _meta(0x0013, "SH", implementation[1]),
        )
    )
    return _PREAMBLE + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta


@lru_cache(maxsize=256)
def _meta(element: int, vr: str, text: str) -> bytes:
    return _encoded(DataElement(0x00020000 + element, vr, text), implicit_vr=False)
