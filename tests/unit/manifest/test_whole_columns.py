"""What is asked of all cells together gives the answers of each cell by itself: files, paths and rows that are odd in every way."""

from __future__ import annotations

import csv
import importlib
import os
import posixpath
import random
import unicodedata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bulkdcm import manifest
from bulkdcm.errors import ManifestError
from bulkdcm.manifest import cells, paths, readers, sources, table
from bulkdcm.manifest.table import Column, Manifest
from bulkdcm.objects import offer
from bulkdcm.stores import listing
from bulkdcm.uids import normal_form

if TYPE_CHECKING:
    from collections.abc import Iterator

# The package gives functions by these names.
delimited, resolve = (importlib.import_module(f"bulkdcm.manifest.{name}") for name in ("readers.delimited", "resolve"))
SEEDS = range(30)
PIECES = (
    *("a", "b", "B", "Scan", "x.png", "y.JPG", ".png", ".hidden", "...", ".", "..", "/", "/", "/", "//", "/./", "/../"),
    *("\\", "C:/", "C:\\", "s3://", "s3:/", " ", "  ", "\n", "\r", "\t", "\0", "\x7f", "\x85", "\u2028", "é", "e\u0301"),
    *("\u212a", "ẞ", "\u0130", "\u03a3", "report.csv", "REPORT.CSV", "\u00a0", ".dcm", ".DCM", "n" * 130, "é" * 130),
)  # fmt: skip
ALONE = [form.format(piece) for piece in PIECES for form in ("{}", "a/{}", "{}/a", "a{}", "{}a", "b/a{}a.png")]
ORDINARY = ("a", "b", "c", "/", "/", "x.png", "y.jpg", "_1", "é")


def odd_values(seed: int) -> list[str]:
    """Return distinct paths: ordinary ones, and in most cases some that are not."""
    rng = random.Random(seed)
    ordinary = ["".join(rng.choices(ORDINARY[: rng.choice((8, 9))], k=rng.randint(1, 6))) for _ in range(30)]
    odd = ["".join(rng.choices(PIECES, k=rng.randint(0, 4))) for _ in range(rng.choice((0, 3, 20)))]
    mixed = list(dict.fromkeys([*map(posixpath.normpath, ordinary), *odd]))
    rng.shuffle(mixed)
    return mixed


def all_values() -> Iterator[list[str]]:
    """Yield columns of odd paths together, and of each odd one alone among ordinary ones."""
    yield from map(odd_values, SEEDS)
    yield from (list(dict.fromkeys(["c/d.png", odd])) for odd in ALONE)


def column_of(values: list[str]) -> Column:
    return Column(np.arange(len(values), dtype=np.int32), values)


def cells_of(column: Column) -> list[str]:
    return [column[ordinal] for ordinal in range(len(column.codes))]


def test_a_mark_that_is_in_no_column_is_in_no_value():
    for values in all_values():
        column = column_of(values)
        for mark in PIECES:
            assert column.may_hold(mark) >= any(mark in value for value in values)
            assert column.may_hold("\n" + mark) >= any(value.startswith(mark) for value in values)
            assert column.may_hold(mark + "\n") >= any(value.endswith(mark) for value in values)
        assert column.may_hold("\n\n") >= ("" in values)


def plain_fold(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def test_each_path_is_made_what_it_is_by_itself():
    for values in all_values():
        column = column_of(values)
        normal = column.mapped(resolve._normal, resolve._NOT_NORMAL)
        assert cells_of(normal) == list(map(resolve._normal, values))
        assert resolve._all_mirrored(column) == [manifest.mirrored(path) if path else path for path in values]
        assert cells_of(paths._folded(column)) == list(map(plain_fold, values)) == list(map(paths.fold, values))
        assert cells_of(table.in_normal_form(column)) == list(map(normal_form, values))
        for found in (normal, paths._folded(column), table.in_normal_form(column)):
            assert len(set(found.values)) == len(found.values)


def test_each_path_has_the_faults_it_has_by_itself():
    for values in all_values():
        reserved = {"report.csv"}
        column = column_of(values)
        assert paths.all_outside(column) == {i: rule for i, path in enumerate(values) if (rule := paths.outside(path))}
        assert paths._all_unusable(column, reserved) == {
            i: rule for i, path in enumerate(values) if (rule := paths.unusable(path, reserved))
        }
        folders = {posixpath.dirname(path) for path in values}
        folders |= {str(above) for folder in folders for above in PurePosixPath(folder).parents}
        assert paths._folders(column, values) - {"", "."} == folders - {"", "."}
        for name in ("source", "output", "study"):
            rows = Manifest(Path("m.csv"), {name: column, "source": column}, np.arange(len(values), dtype=np.int32))
            found = [problem.value for problem in cells._check_reserved(rows, name, column)]
            faulty = [cell for cell in values if cells._broken_by_reserved(name, cell)]
            assert found == (
                [] if name == "output" else faulty
            )  # an output's are told of the source that it is made of


def test_values_of_no_row_are_left_out():
    assert paths._used(Column(np.array([2, 0, 2], dtype=np.int32), ["a", "b", "c"])) == ["a", "c"]


def test_rows_with_a_kind_of_their_own_are_known_by_each_name():
    for values in all_values():
        kinds = offer().kinds
        found = resolve._of_other_kinds(Column.constant("", len(values)), column_of(values), kinds)
        expected = ["" for _ in values]
        for kind, endings in kinds.items():
            expected = [
                kind if path.lower().endswith(endings) else was for path, was in zip(values, expected, strict=True)
            ]
        assert cells_of(found) == expected


def record(rng: random.Random) -> str:
    plain = ("a.png", "x", "1", "", "é", " y ")
    quoted = ('"two\nlines"', '"a,b"', '"say ""x"""', '"\r\n"', '"three\n\nlines"')
    odd = ("a,b,c,d", "a", "", '"', 'x"y', "\r")
    width, kind = 3, rng.random()
    if kind < 0.05:
        return rng.choice(odd[: rng.choice((3, 6))])
    return ",".join(rng.choice(quoted if rng.random() < 0.1 else plain) for _ in range(width))


def read_plainly(path: Path) -> tuple[list[int], list[list[str]], list[tuple[int, str]]]:
    """Return the lines of records, the records and (line, fault) of a CSV file, record by record."""
    lines, records, faults = [], [], []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        width = len(next(reader))
        line = reader.line_num + 1
        try:
            for cells_ in reader:
                if len(cells_) == width and not any(cells_):
                    pass
                elif len(cells_) == width:
                    lines.append(line)
                    records.append(cells_)
                elif cells_:
                    faults.append((line, f"{len(cells_)} cells under {width} column names"))
                line = reader.line_num + 1
        except csv.Error as error:
            faults.insert(0, (reader.line_num, f"the CSV is broken here: {error}"))
    return lines, records, faults


@pytest.mark.parametrize("seed", range(120))
def test_a_file_is_read_as_record_by_record(seed, tmp_path, monkeypatch):
    rng = random.Random(seed)
    monkeypatch.setattr(delimited, "_BATCH", rng.choice((1, 2, 7, 250)))
    end = rng.choice(("\n", "\r\n"))
    text = end.join(["source,study,series", *(record(rng) for _ in range(rng.choice((0, 3, 40))))])
    path = tmp_path / "m.csv"
    path.write_bytes((text + rng.choice(("", end))).encode())
    lines, records, faults = read_plainly(path)
    try:
        found = readers.read_table(path, readers.Form())
    except ManifestError as error:
        told = [
            (problem.lines[0], problem.rule) for problem in error.problems for problem in problem.parts or (problem,)
        ]
        assert sorted(told) == sorted(faults)
        assert faults
        return
    assert not faults
    assert found.lines.tolist() == lines
    columns = zip(*(cells_of(column) for column in found.columns.values()), strict=True)
    assert list(map(list, columns)) == records


def state_of(root: str, path: str) -> int:
    """Return what is to be said of a path, looked at by itself."""
    full = f"{root}/{path}"
    if not os.path.exists(full):  # noqa: PTH110  # Path's raises where a name is too long
        return sources._MISSING
    folder = os.path.realpath(f"{root}/{path.rpartition('/')[0]}")
    places = [folder, *([os.path.realpath(full)] if Path(full).is_symlink() else [])]
    held = all(place == root or place.startswith(root + os.sep) for place in places)
    return sources._THERE if held else sources._OUTSIDE


@pytest.fixture
def tree(tmp_path) -> str:
    """A folder of files, and of links that lead to all kinds of places; some names are not there."""
    root, outer = tmp_path / "images", tmp_path / "outer"
    for folder in (root / "a", root / "few", root / "é", outer):
        folder.mkdir(parents=True)
        for number in range(3 if folder.name == "few" else 30):
            (folder / f"{number}.png").touch()
    (root / "to_outer").symlink_to(outer)
    (root / "to_inner").symlink_to("a")
    for name, target in (("in", "0.png"), ("out", outer / "0.png"), ("gone", "nowhere"), ("loop", "loop.png")):
        (root / "a" / f"{name}.png").symlink_to(target)
    return str(root)


NAMES = [f"{number}.png" for number in range(40)] + ["in.png", "out.png", "gone.png", "loop.png"]


@pytest.mark.parametrize("sparse", [0, 1, 4])
def test_files_are_where_they_are_one_by_one(tree, sparse, monkeypatch):
    monkeypatch.setattr(listing, "_SPARSE", sparse)
    wanted = [
        f"{folder}/{name}" for folder in ("a", "few", "é", "to_outer", "to_inner", "none", "a/0.png") for name in NAMES
    ]
    wanted += ["a", "to_outer", "to_inner", ".", "x" * 300, *NAMES]
    random.Random(1).shuffle(wanted)
    found = sources._Disk(tree).states(column_of(["", "nul\0", "/outside", *wanted]), {2: "an absolute path"})
    assert found[:3].tolist() == [sources._UNKNOWN] * 3
    assert found[3:].tolist() == [state_of(tree, path) for path in wanted]
    assert sources._Disk(tree).states(column_of(wanted), {}).tolist() == found[3:].tolist()
    assert {*found.tolist()} == {sources._UNKNOWN, sources._MISSING, sources._THERE, sources._OUTSIDE}


def test_names_that_may_be_listed_and_not_be_had_are_not_there(tree, monkeypatch):
    stat = os.stat

    def unsearchable(path, **options):
        if str(path).endswith("/."):
            raise PermissionError
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", unsearchable)
    monkeypatch.setattr(listing, "_kind", lambda _: listing.ABSENT)
    assert listing.kinds(f"{tree}/a", NAMES) == [listing.ABSENT] * len(NAMES)
