"""Rows that are frames of one object: those of a class with frames that share an `instance`, in the order of `frame`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.attributes import dictionary
from bulkdcm.manifest.table import Column, groups, in_normal_form, members
from bulkdcm.model import Problem
from bulkdcm.uids import SERIES_KEYS, STUDY_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from bulkdcm.manifest.table import Manifest
    from bulkdcm.model import IOD

_KEYS = (*STUDY_KEYS, *SERIES_KEYS, "instance", "sop_class", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
# What may differ between the frames of one object.
_OF_A_FRAME = {"source", "sha256", "frame", "output"}


def _has_frames(manifest: Manifest, iods: Mapping[str, IOD]) -> npt.NDArray[np.bool_]:
    return manifest.column("sop_class").where(lambda uid: uid in iods and iods[uid].multi_frame)


def find(manifest: Manifest, iods: Mapping[str, IOD]) -> dict[int, tuple[int, ...]]:
    """Return the ordinals of each object's rows in the order of its frames, by the first of them."""
    candidates = np.flatnonzero(_has_frames(manifest, iods) & manifest.column("instance").where(bool))
    if not len(candidates):
        return {}
    columns = [in_normal_form(manifest.column(name)) for name in _KEYS]
    numbers = groups([Column(column.codes[candidates], column.values) for column in columns])
    frame = manifest.column("frame")
    found = {}
    for same in members(numbers, least=2):
        ordered = sorted(candidates[same].tolist(), key=lambda ordinal: (_number(frame[ordinal]), ordinal))
        found[ordered[0]] = tuple(ordered)
    return found


def _number(cell: str) -> int:
    return int(cell) if re.fullmatch(r"[0-9]{1,9}", cell) else 0


def check(manifest: Manifest, iods: Mapping[str, IOD]) -> Iterator[Problem]:
    """Yield the problems of frames: numbers that are none, that are there twice, and rows that say different things."""
    frame = manifest.column("frame")
    for code, cell in enumerate(frame.values):
        if cell and not _number(cell) and len(ordinals := frame.ordinals([code])):
            yield Problem(
                lines=manifest.lines_of(ordinals),
                column="frame",
                value=cell,
                rule="a frame's place is a whole number from 1",
                remedy="Number the frames of each instance from 1",
            )
    lost = np.flatnonzero(frame.where(bool) & ~_has_frames(manifest, iods))
    if len(lost):
        yield Problem(
            lines=manifest.lines_of(lost),
            column="frame",
            rule="the row's SOP class has no frames",
            remedy="Give it sop_class SC-BYTE, SC-WORD or SC-COLOR, or leave the cell empty",
        )
    for frames in manifest.frames.values():
        yield from _check_object(manifest, frames)


def _check_object(manifest: Manifest, ordinals: tuple[int, ...]) -> Iterator[Problem]:
    first, *others = ordinals
    frame = manifest.column("frame")
    seen: dict[str, int] = {}
    for ordinal in ordinals:
        before = seen.setdefault(frame[ordinal], ordinal)
        if before != ordinal:
            yield Problem(
                lines=manifest.lines_of([ordinal]),
                column="frame",
                value=frame[ordinal],
                rule=f"line {manifest.lines[before]} has the same place in the same instance",
                remedy="Number the frames of each instance from 1, or give each row its own `instance`",
            )
    for name, column in manifest.columns.items():
        if name in _OF_A_FRAME or (dictionary.find(name) is None and name not in dictionary.RESERVED):
            continue
        wrong = [ordinal for ordinal in others if column.codes[ordinal] != column.codes[first]]
        if wrong:
            yield Problem(
                lines=manifest.lines_of(wrong),
                column=name,
                value=column[wrong[0]],
                rule=f"disagrees with {column[first]!r} on line {manifest.lines[first]}, of the same instance",
                remedy="Write the same in all rows of the instance: they become one object",
            )
