"""What is done to files on every system, and what only Windows needs."""

from __future__ import annotations

import errno
import os
from functools import partial

import pytest

from bulkdcm import filesystem
from bulkdcm.stores.folder import folds


@pytest.fixture
def files(tmp_path):
    (tmp_path / "old").write_text("new", encoding="utf-8")
    return tmp_path


def opened_by_another(times: int):
    """Return a rename that is refused so many times, as while a virus scanner looks at a file."""
    left = [times]

    def rename(old, new):
        if left[0]:
            left[0] -= 1
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), old)
        os.replace(old, new)  # noqa: PTH105  # what the product calls

    return rename


def test_a_file_that_another_program_has_open_is_renamed_when_it_is_closed(files, monkeypatch):
    monkeypatch.setattr(filesystem, "_TRY_AGAIN_S", 0.001)
    filesystem._patiently(partial(opened_by_another(5), str(files / "old"), str(files / "name")))
    assert [path.name for path in files.iterdir()] == ["name"]


def test_one_that_stays_open_is_a_fault(files, monkeypatch):
    monkeypatch.setattr(filesystem, "_PATIENCE_S", 0)
    with pytest.raises(PermissionError):
        filesystem._patiently(partial(opened_by_another(1000), str(files / "old"), str(files / "name")))
    assert [path.name for path in files.iterdir()] == ["old"]


def test_a_new_name_replaces_nothing_and_a_replacement_does(files):
    (files / "name").write_text("precious", encoding="utf-8")
    with pytest.raises(FileExistsError):
        filesystem.rename_new(str(files / "old"), str(files / "name"))
    assert (files / "name").read_text(encoding="utf-8") == "precious"
    filesystem.replace(str(files / "old"), str(files / "name"))
    assert (files / "name").read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("read_at", [filesystem.pread, filesystem._read_at], ids=["here", "on Windows"])
def test_reading_at_a_place_leaves_the_file_at_its_own(read_at, files):
    with (files / "old").open("rb", buffering=0) as file:
        assert file.read(1) == b"n"
        assert read_at(file.fileno(), 2, 0) == b"ne"
        assert file.read() == b"ew"


def test_a_folder_of_this_disk_tells_capitals_apart_or_says_that_it_does_not(files):
    assert folds(str(files), "old") == (files / "OLD").exists()
    assert not folds(str(files), "nothing")
