"""Small rows take their steps together; times, deaths and faults stay each row's own."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

import bulkdcm
from bulkdcm.conversion import chunk
from bulkdcm.objects import image
from bulkdcm.signals import Deadline, RowTimeoutError
from tests.systems import timers

HEADER = "source,PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber"


@dataclass
class Held:
    size_bytes: int


def together(*sizes: int, most: int = 3) -> list[list[int]]:
    groups = chunk._together(map(Held, sizes), lambda held: held.size_bytes, most)
    return [[held.size_bytes for held in group] for group in groups]


def test_rows_go_together_up_to_a_number_and_what_they_hold(monkeypatch):
    monkeypatch.setattr(chunk, "_TOGETHER_BYTES", 10)
    assert together(1, 1, 1, 1) == [[1, 1, 1], [1]]
    assert together(6, 6, 1, 11, 1) == [[6, 6], [1, 11], [1]]
    assert together() == []


@pytest.fixture
def images(tmp_path):
    lines = [HEADER]
    for number in range(40):
        Image.fromarray(np.full((200, 300), number, np.uint8)).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,1,A^B,20230101,101112,1,1,{number + 1}")
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_small_files_of_large_images_are_not_held_all_at_once(images, monkeypatch):
    """They are 60 kB each, made of 200 bytes."""
    held, most = [], []
    read, make = image.Image.read, image.Image.make

    def reading(self, row, *rest):
        held.append(row.ordinal)
        most.append(len(held))
        return read(self, row, *rest)

    def making(self, row, *rest):
        held.remove(row.ordinal)
        return make(self, row, *rest)

    monkeypatch.setattr(image.Image, "read", reading)
    monkeypatch.setattr(image.Image, "make", making)
    report = bulkdcm.convert(images / "m.csv", images / "out", backend="sequential", fsync=False)
    assert report.count("converted") == 40
    assert max(most) == 1 + chunk._TOGETHER_BYTES // 60_000


def test_one_row_s_fault_is_not_that_of_those_beside_it(images, monkeypatch):
    make = image.Image.make

    def making(self, row, *rest):
        if row.ordinal == 7:
            raise ZeroDivisionError
        return make(self, row, *rest)

    (images / "3.png").write_bytes((images / "3.png").read_bytes()[:-20])
    (images / "5.png").unlink()
    monkeypatch.setattr(image.Image, "make", making)
    table = bulkdcm.convert(images / "m.csv", images / "out", backend="sequential", fsync=False).table
    failed = table[table["status"] == "failed"].set_index("source")["stage"].to_dict()
    assert failed == {"3.png": "decode", "5.png": "read", "7.png": "unexpected"}


def test_the_first_failure_ends_the_run_where_asked_for_and_nothing_after_it_is_tried(images):
    (images / "3.png").write_bytes(b"none")
    table = bulkdcm.convert(images / "m.csv", images / "out", backend="sequential", fail_fast=True).table
    assert table["status"].tolist() == ["converted"] * 3 + ["failed"] + ["pending"] * 36


@timers
def test_whoever_is_over_its_time_is_found_and_the_others_are_not():
    with Deadline(0.3) as deadline:
        for _ in range(5):
            deadline.of(time.sleep, 0.0)(0.1)  # together longer than one may take
        with pytest.raises(RowTimeoutError):
            deadline.of(time.sleep, 0.0)(5)
        deadline.of(time.sleep, 0.0)(0.1)
        with pytest.raises(RowTimeoutError):
            deadline.of(time.sleep, 0.25)(5)  # a later step of a row that has taken time before
        time.sleep(0.4)  # no row is under way


def test_no_time_is_any_time():
    with Deadline(0) as deadline:
        assert deadline.of(time.sleep, 9.0) is time.sleep


@timers
def test_a_later_step_of_a_row_ends_when_the_row_s_time_does_though_an_earlier_row_had_more_left():
    with Deadline(100) as deadline:
        deadline.of(time.sleep, 0.0)(0.0)  # which sets the timer for a hundred seconds
        with pytest.raises(RowTimeoutError):
            deadline.of(time.sleep, 99.9)(20)
