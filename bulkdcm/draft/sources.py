"""Which column of a dataset names the images: by what its cells look like, and by the files beside the CSV."""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bulkdcm.draft.cells_of import Draft
from bulkdcm.draft.listing import is_folder
from bulkdcm.ledger.files import FOLDER
from bulkdcm.printable import printable, some

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from bulkdcm.manifest import Manifest

_IMAGE_ENDING = re.compile(r"\.(png|jpe?g|bmp|tiff?|webp|gif|dcm)$", re.IGNORECASE)
_SHOWN = 3
_WHERE = "no file below the CSV's folder has this name: where are they, and which column names them?"


class Below:
    """The files with endings of images in a folder and all folders below it.

    Parameters
    ----------
    root
        The folder.
    """

    def __init__(self, root: Path) -> None:
        self._of_name: dict[str, list[str]] = {}
        self._of_stem: dict[str, list[str]] = {}
        for path in _images(root):
            name = posixpath.basename(path)
            self._of_name.setdefault(name, []).append(path)
            self._of_stem.setdefault(posixpath.splitext(name)[0], []).append(path)

    def find(self, cell: str) -> tuple[list[str], bool]:
        """Return the folders in which a cell names a file, each with its slash, and whether the cell has its ending."""
        name = posixpath.basename(cell)
        for known, whole in ((self._of_name, True), (self._of_stem, False)):
            ends = [path if whole else posixpath.splitext(path)[0] for path in known.get(name, [])]
            before = [end.removesuffix(cell) for end in ends if end == cell or end.endswith(f"/{cell}")]
            if before:
                return before, whole
        return [], False


def _images(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in sorted(folders) if name[0] != "." and not is_folder(Path(folder, name, FOLDER))]
        before = Path(folder).relative_to(root).as_posix()
        if printable(before) == before and not set("{}*") & set(before):  # else a template can't say it
            for name in sorted(names):
                if name[0] != "." and _IMAGE_ENDING.search(name):
                    yield posixpath.join(before, name) if before != "." else name


@dataclass(slots=True)
class _Look:
    """What the cells of one column say of files.

    Attributes
    ----------
    name
        Of the column.
    named
        Whether its name says that it names images.
    cells
        Its different cells, without the empty one.
    endings
        How many of them end as names of images do.
    found
        How many of them name a file.
    whole
        How many of these have its ending.
    folders
        In how many folders each of them is, by what stands before it.
    """

    name: str
    named: bool
    cells: Sequence[str]
    endings: int = 0
    found: int = 0
    whole: int = 0
    folders: Counter[str] = field(default_factory=Counter)

    @property
    def rank(self) -> tuple[object, ...]:
        """What makes one column likelier than another."""
        half = 2 * self.endings >= len(self.cells) > 0
        return (True, self.named, half, self.found) if self.found else (False, half, self.named, 0)


def source_of(table: Manifest, named: Collection[str], folder: Path) -> tuple[str, Draft]:
    """Return the column that names the images, empty if none is known to, and the rule for `source`.

    Parameters
    ----------
    table
        The dataset's.
    named
        Its columns whose names say that they name images.
    folder
        Where the CSV lies, and below which the images are looked for.
    """
    below = Below(folder)
    looks = [_look(name, name in named, table, below) for name in table.columns if name]
    best = max((look.rank for look in looks), default=())
    likely = [look for look in looks if any(best) and look.rank == best]
    if not likely:
        column = next((name for name, column in table.columns.items() if len(column.values) == len(table)), "COLUMN")
        draft = Draft({"template": f"images/{{{column}}}.*"}, "no column looks like a file: correct it", [_WHERE])
        return "", draft
    first, *others = likely
    draft = _placed(first) if first.found else _unplaced(first)
    if others:
        draft.ask(f"{' and '.join(look.name for look in others)} looks like it too: is {first.name} right?")
    return first.name, draft


def _look(name: str, named: bool, table: Manifest, below: Below) -> _Look:  # noqa: FBT001  # one caller
    column = table.column(name)
    look = _Look(name, named, [cell for cell in column.values if cell.strip()])
    for cell in look.cells:
        look.endings += bool(_IMAGE_ENDING.search(cell)) and "://" not in cell
        folders, whole = below.find(cell)
        look.found += bool(folders)
        look.whole += bool(folders) and whole
        look.folders.update(list(dict.fromkeys(folders)))  # a set has no order
    return look


def _unplaced(look: _Look) -> Draft:
    """Return the rule for files that aren't there, by the cells alone."""
    if not look.endings:
        draft = Draft({"template": f"images/{{{look.name}}}.*"}, "the cells have no ending: it is looked up")
        draft.ask(_WHERE)
        return draft
    draft = Draft({"column": look.name})
    _ask_endings(draft, look)
    return draft


def _placed(look: _Look) -> Draft:
    """Return the rule for files that are there."""
    ending = "" if look.whole else ".*"
    everywhere = [folder for folder, count in look.folders.items() if count == look.found]
    bare = not any("/" in cell for cell in look.cells)
    folder = everywhere[0] if everywhere or not bare else "**/"
    draft = Draft({"template": f"{folder}{{{look.name}}}{ending}"} if folder or ending else {"column": look.name})
    notes = [] if look.found == len(look.cells) else [f"{look.found:,} of {len(look.cells):,} are there"]
    if folder == "**/":
        notes.append(f"found by their names in {len(look.folders):,} folders")
    draft.comment = ", ".join(notes)
    if len(everywhere) > 1:
        draft.ask(f"files are called so in {_listed(everywhere)}: which are the images?")
    if 0 < look.whole < look.found or look.endings:
        _ask_endings(draft, look)
    return draft


def _ask_endings(draft: Draft, look: _Look) -> None:
    bare = next((cell for cell in look.cells if not _IMAGE_ENDING.search(cell)), "")
    if bare:
        draft.ask(
            f"{bare!r} has no ending of an image: leave such rows out with `keep`, or look files up by a template"
        )


def _listed(folders: Sequence[str]) -> str:
    return some(sorted(folders), _SHOWN, lambda folder: folder.rstrip("/") or "the CSV's own folder")
