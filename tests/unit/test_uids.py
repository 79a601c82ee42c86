"""Role and keys to UID."""

from __future__ import annotations

import os
import re
import uuid

import pytest

from bulkdcm import template, uids
from bulkdcm.errors import SettingsError
from bulkdcm.model import ManifestRow


def row(**changes) -> ManifestRow:
    attributes = {
        "PatientID": "1",
        "StudyID": "1",
        "SeriesNumber": "1",
        "Modality": "OT",
        **changes.pop("attributes", {}),
    }
    return ManifestRow(**{"ordinal": 0, "line": 2, "source": "a.png", "output": "a.dcm", "sop_class_uid": "1.2", **changes, "attributes": attributes})  # fmt: skip


def assigned(changed_row=None, digest="0" * 64, options="", key=b""):
    found = uids.assign(changed_row or row(), digest, options, key)
    return found.study_instance_uid, found.series_instance_uid, found.sop_instance_uid


def test_a_uid_is_a_version_8_uuid_under_2_25():
    uid = uids.derive("study", ["1"])
    assert re.fullmatch(r"2\.25\.[1-9]\d{0,38}", uid)
    assert uuid.UUID(int=int(uid[5:])).version == 8
    assert uuid.UUID(int=int(uid[5:])).variant == uuid.RFC_4122


def test_fields_are_never_joined():
    assert uids.derive("study", ["ab", "c"]) != uids.derive("study", ["a", "bc"])
    assert uids.derive("study", ["ab"]) != uids.derive("study", ["ab", ""])
    assert uids.derive("study", ["x"]) != uids.derive("series", ["x"])


def test_unicode_forms_of_one_text_are_one():
    assert uids.derive("study", ["é"]) == uids.derive("study", ["e\N{COMBINING ACUTE ACCENT}"])


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({"attributes": {"PatientID": "2"}}, (True, True, True)),
        ({"attributes": {"IssuerOfPatientID": "x"}}, (True, True, True)),
        ({"attributes": {"AccessionNumber": "x"}}, (True, True, True)),
        ({"attributes": {"StudyDate": "20230101"}}, (True, True, True)),
        ({"study": "x"}, (True, True, True)),
        ({"series": "x"}, (False, True, True)),
        ({"attributes": {"SeriesNumber": "2"}}, (False, True, True)),
        ({"attributes": {"Modality": "CR"}}, (False, True, True)),
        ({"sop_class_uid": "1.3"}, (False, True, True)),
        ({"instance": "x"}, (False, False, True)),
        ({"source": "b.png"}, (False, False, True)),
        ({"attributes": {"PatientName": "x", "InstanceNumber": "7"}}, (False, False, False)),
        ({"ordinal": 9, "line": 11, "output": "z.dcm"}, (False, False, False)),
    ],
)
def test_what_moves_which_uid(change, moved):
    assert tuple(old != new for old, new in zip(assigned(), assigned(row(**change)), strict=True)) == moved


def test_the_pixels_move_the_instance_and_a_key_moves_all():
    assert assigned(digest="1" * 64)[:2] == assigned()[:2]
    assert assigned(digest="1" * 64)[2] != assigned()[2]
    assert assigned(options="background=#000000")[2] != assigned()[2]
    assert all(old != new for old, new in zip(assigned(), assigned(key=b"k" * 16), strict=True))


def test_an_instance_key_takes_the_source_s_place():
    assert assigned(row(instance="i", source="a.png")) == assigned(row(instance="i", source="b.png"))
    assert assigned(row(instance="a.png"))[2] != assigned()[2]


def test_given_uids_win():
    given = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4", "SOPInstanceUID": "1.2.5"}
    assert assigned(row(attributes=given)) == ("1.2.3", "1.2.4", "1.2.5")


def test_the_frame_of_reference_is_the_series_s():
    first, second = (uids.assign(row(source=name), "0" * 64, "") for name in ("a.png", "b.png"))
    assert first.frame_of_reference_uid == second.frame_of_reference_uid
    assert first.frame_of_reference_uid not in {first.series_instance_uid, first.study_instance_uid}


def test_a_key_file(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"0123456789abcdef\r\n")
    assert uids.read_key(path) == b"0123456789abcdef"
    assert uids.read_key(None) == b""
    path.write_bytes(b"short\n")
    with pytest.raises(SettingsError, match="too few"):
        uids.read_key(path)
    with pytest.raises(SettingsError, match="No such file"):
        uids.read_key(tmp_path / "missing")
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(SettingsError, match="more than 16,000,000 bytes"):
        uids.read_key(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_key_file_or_template_that_is_a_pipe_is_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(SettingsError, match="not a regular file"):
        uids.read_key(pipe)
    with pytest.raises(SettingsError, match="not a regular file"):
        template.read(pipe, "--template")
