"""Places of outputs, looked at a folder at a time, are what they are looked at one by one."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest

from bulkdcm.conversion.collisions import Collisions, Owner
from bulkdcm.conversion.places import Known, Places, _Judge
from bulkdcm.manifest import Column, Manifest
from bulkdcm.model import Replaceable
from bulkdcm.names import fold
from bulkdcm.stores import Local

NAMES = ("a.png", "A.png", "é.png", "e\u0301.png", "b.png", "c.png", "link.png", "gone.png")
FOLDERS = ("", "x/", "X/", "out/", "out/x/", "to_out/", "none/")


def tree(rng: random.Random, root: Path) -> None:
    """Make sources, outputs among them, and links from each to the other."""
    for folder in ("x", "X", "out/x"):
        (root / folder).mkdir(parents=True)
    (root / "to_out").symlink_to("out")
    for folder in FOLDERS[:5]:
        for name in rng.sample(NAMES[:6], 4):
            (root / folder / name).write_text(name, encoding="utf-8")
        target = rng.choice([root / "out" / "x" / "b.png", root / "x" / "a.png", root / "nowhere"])
        (root / folder / "link.png").symlink_to(target)
    if rng.random() < 0.5:
        (root / "out" / "hard.png").hardlink_to(next((root / "x").glob("?.png")))


def manifest_of(rng: random.Random) -> Manifest:
    sources = rng.choices([f"{folder}{name}" for folder in FOLDERS for name in NAMES], k=40)
    outputs = [
        rng.choice(("", "a.png", "x/b.png", "X/A.PNG", "x/e\u0301.png", "hard.png", "m.csv", "no/a.dcm"))
        for _ in sources
    ]
    columns = {"source": Column.of(sources), "output": Column.of(outputs)}
    unused = Column(columns["source"].codes, [*columns["source"].values, "out/x/of no row.png"])
    return Manifest(Path("m.csv"), columns | {"source": unused}, np.arange(2, 42, dtype=np.int32))


def sources_of(rows: Manifest, images: str) -> list[tuple[str, str]]:
    """Return the real path of each source and what it is, one by one."""
    column, found = rows.column("source"), []
    lines = {int(code): int(rows.lines[ordinal]) for ordinal, code in reversed(list(enumerate(column.codes)))}
    for code, line in lines.items():
        folder, _, name = column.values[code].rpartition("/")
        path = Path(os.path.realpath(f"{images}/{folder}"), name)
        found.append((str(path), f"the source on line {line}"))
        if path.is_symlink():
            found.append((os.path.realpath(path), f"the source on line {line}"))
    return found


@pytest.mark.parametrize("seed", range(60))
def test_a_folder_at_a_time_is_as_one_by_one(seed, tmp_path):
    rng = random.Random(seed)
    tree(rng, tmp_path)
    rows = manifest_of(rng)
    images, out = str(tmp_path), str(tmp_path / rng.choice(("out", "out", "to_out", "x")))
    named = {str(tmp_path / "out" / "m.csv"): "the manifest"}
    places = Places(rows, Local(root=out), images, named, ())
    assert list(places._sources()) == sources_of(rows, images)
    above = fold(os.path.realpath(out)) + "/"
    names = {fold(path): what for path, what in named.items() if fold(path).startswith(above)}
    names |= {fold(path): what for path, what in sources_of(rows, images) if fold(path).startswith(above)}
    assert places.names == names
    known = Known(
        outputs=[rng.choice(("", "a.png", "x/b.png", rows.column("output")[ordinal])) for ordinal in range(40)]
    )
    todo = sorted(rng.sample(range(40), 30))
    expected, takes = Collisions(rows), {}
    for ordinal in range(40):
        if what := names.get(fold(places.real(rows.column("output")[ordinal]))):
            expected.add(Owner.READ, what, ordinal)
    for ordinal in todo:
        output = rows.column("output")[ordinal] or known.outputs[ordinal]
        status = None if expected.has(ordinal) else places.status(output)
        if status:
            kind, what = _Judge(places, known, overwrite=False).verdict(output, status, known.outputs[ordinal])
            if kind in {Owner.OURS, Owner.ORPHANED}:
                takes[ordinal] = Replaceable(output, status.st_mtime_ns)
            if kind in {Owner.READ, Owner.FOREIGN, Owner.ORPHANED}:
                expected.add(kind, what, ordinal)
    problems = list(expected.problems(overwrite=False))
    assert places.check(todo, known, overwrite=False, prune=False) == (problems, takes)
