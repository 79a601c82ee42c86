"""The fast path's bytes are those of pydicom's `dcmwrite`, for every class, value and transfer syntax."""

from __future__ import annotations

import io
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from pydicom.encaps import encapsulate, encapsulate_extended

from bulkdcm import iods, uids
from bulkdcm.attributes import values
from bulkdcm.encode import encode, part10
from bulkdcm.model import Frame, Lossy, ManifestRow
from tests.conformance.cases import COMMON, COMPLETE

if TYPE_CHECKING:
    from bulkdcm.elements import Elements

build = import_module("bulkdcm.iods.build")  # whose name its function has in the package
QUICK = settings(derandomize=True, deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
PIXELS = {
    "gray8": np.arange(15, dtype=np.uint8).reshape(3, 5),
    "gray16": np.arange(15, dtype=np.uint16).reshape(3, 5) * 4001,
    "rgb8": np.arange(45, dtype=np.uint8).reshape(3, 5, 3),
    "rgb16": np.arange(45, dtype=np.uint16).reshape(3, 5, 3) * 1001,
}
KEYWORDS = ["PatientID", "PatientName", "StudyDescription", "ImageComments", "PixelSpacing", "AccessionNumber", "PatientAge",
            "StudyDate", "AcquisitionDateTime", "InstanceNumber", "AnatomicRegionSequence", "HorizontalFieldOfView",
            "RetrieveURL", "OtherPatientNames", "RecommendedDisplayFrameRate", "SmallestImagePixelValue"]  # fmt: skip


def frame_of(kind: str, *streams: bytes, uid="") -> Frame:
    pixels = PIXELS[kind]
    color = pixels.ndim == 3
    return Frame(
        rows=3, columns=5, samples_per_pixel=3 if color else 1, bits_stored=8 * pixels.itemsize,
        photometric_interpretation="RGB" if color else "MONOCHROME2", pixels=None if streams else pixels,
        streams=streams, transfer_syntax_uid=uid,
    )  # fmt: skip


def built(alias: str, frame: Frame, **attributes: str) -> Elements:
    iod = iods.BY_NAME[alias]
    modality = {"Modality": iod.modalities[0] if iod.modalities else "OT"}
    row = ManifestRow(
        ordinal=0, line=2, source="a.png", output="a.dcm", sop_class_uid=iod.sop_class_uid,
        attributes={k: v for k, v in {**COMMON, **COMPLETE[alias], **modality, **attributes}.items() if v},
    )  # fmt: skip
    return iods.build(row, frame, uids.assign(row, "0" * 64, ""))


def by_dcmwrite(elements: Elements, frame: Frame, uid: str) -> bytes:
    """Return the file as pydicom writes it, Pixel Data and all."""
    syntax = pydicom.uid.UID(uid)
    if frame.streams:
        element = pydicom.DataElement(0x7FE00010, "OB", encapsulate(list(frame.streams), has_bot=True))
        element.is_undefined_length = True
    else:
        word = frame.bits_allocated > 8 or syntax.is_implicit_VR
        data = frame.pixels.tobytes()
        element = pydicom.DataElement(0x7FE00010, "OW" if word else "OB", data + b"\0" * (len(data) % 2))
    dataset = elements.dataset()
    dataset.add(element)
    return part10.encode_file(dataset, uid)


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "deflated"])
@pytest.mark.parametrize(
    ("alias", "kind"), [(iod.alias, kind) for iod in iods.IODS for kind in sorted(iod.pixel_kinds)]
)
def test_native_files_of_every_class(alias, kind, syntax):
    frame = frame_of(kind)
    for _ in range(2):  # once fresh, once from what was kept
        pieces, uid = encode(built(alias, frame), frame, syntax)
        assert b"".join(pieces) == by_dcmwrite(built(alias, frame), frame, uid)


@pytest.mark.parametrize("streams", [(b"\xff\xd8even",), (b"\xff\xd8odd\0\1",), (b"one", b"two!", b"three")])
def test_encapsulated_files(streams):
    frame = frame_of("gray8", *streams, uid="1.2.840.10008.1.2.4.50")
    pieces, uid = encode(built("SC-BYTE", frame), frame, "auto")
    assert b"".join(pieces) == by_dcmwrite(built("SC-BYTE", frame), frame, uid)


def test_an_extended_offset_table_where_the_basic_one_cant_reach(monkeypatch):
    monkeypatch.setattr(part10, "_BASIC_OFFSET_TABLE_END", 10)
    streams = (b"one!", b"three", b"two!")
    frame = frame_of("gray8", *streams, uid="1.2.840.10008.1.2.4.50")
    dataset = pydicom.dcmread(io.BytesIO(b"".join(encode(built("SC-BYTE", frame), frame, "auto")[0])))
    value, offsets, lengths = encapsulate_extended(list(streams))
    assert (dataset.PixelData, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths) == (
        value,
        offsets,
        lengths,
    )


@QUICK
@given(
    st.dictionaries(st.sampled_from(KEYWORDS), st.text(max_size=12), max_size=6),
    st.sampled_from(["explicit", "implicit"]),
)
def test_any_values(attributes, syntax):
    right = {keyword: cell for keyword, cell in attributes.items() if cell and not values.broken_rule(keyword, cell)}
    frame = frame_of("gray8")
    pieces, uid = encode(built("SC", frame, **right), frame, syntax)
    assert b"".join(pieces) == by_dcmwrite(built("SC", frame, **right), frame, uid)


NAMING = {
    "AccessionNumber": "7", "InstanceNumber": "8", "PatientAge": "033Y", "PatientBirthDate": "19900102", "PatientID": "9",
    "PatientSex": "O", "SeriesNumber": "4", "StudyDate": "20240102", "StudyDescription": "another", "StudyID": "5",
    "StudyTime": "010203",
}  # fmt: skip


@pytest.mark.parametrize(
    ("alias", "kind"), [(iod.alias, kind) for iod in iods.IODS for kind in sorted(iod.pixel_kinds)]
)
@pytest.mark.parametrize("lossy", [(), (Lossy(ratio=7.0, method="ISO_10918_1"),)], ids=["lossless", "lossy"])
def test_what_is_built_from_what_others_have_in_common_is_what_is_built_alone(alias, kind, lossy):
    """No module's `fill` looks at what names an object: only so may it be left out of what others share."""
    assert set(NAMING) == build._NAMING
    frame = replace(frame_of(kind), lossy=lossy)
    build._alike.clear()
    alone = built(alias, frame, **NAMING)
    for others in ({}, dict.fromkeys(NAMING, ""), NAMING):
        build._alike.clear()
        built(alias, replace(frame, lossy=(Lossy(ratio=3.0, method="ISO_10918_1"),) if lossy else ()), **others)
        again = built(alias, frame, **NAMING)
        assert b"".join(encode(again, frame, "explicit")[0]) == b"".join(encode(alone, frame, "explicit")[0])
