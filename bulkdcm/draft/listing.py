"""What is in a folder of images: the images, by content, and what is left out, with the reason."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bulkdcm.images import READERS
from bulkdcm.ledger_files import FOLDER
from bulkdcm.manifest import mirrored, outside, unusable

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD_BYTES = 132
_SHOWN = 3
OTHER, LINKED, OUTSIDE, DANGLING, OUTPUTS, UNREADABLE, NO_TEXT, UNFIT = (
    "other files",
    "linked folders, not entered",
    "links that lead outside the folder; --follow-links of convert reads them",
    "links that lead nowhere",
    "folders with the outputs of an earlier run",
    "files that can't be read",
    "files whose names are no text in this system's encoding",
    "files whose names a manifest can't hold",
)


@dataclass(slots=True)
class Listing:
    """A folder as it was found.

    Attributes
    ----------
    images
        Paths relative to the folder, with forward slashes.
    noted
        For each kind of thing that is left out, or that the user should know of: which.
    """

    images: list[str] = field(default_factory=list)
    noted: dict[str, list[str]] = field(default_factory=dict)

    def note(self, kind: str, what: str) -> None:
        """Note one thing."""
        self.noted.setdefault(kind, []).append(what)

    def notes(self) -> Iterator[str]:
        """Yield a line a kind, with its count and some examples."""
        for kind, found in self.noted.items():
            shown = ", ".join(sorted(found)[:_SHOWN])
            left = "" if kind == OUTSIDE else "left out: "
            yield f"{left}{len(found):,} {kind}, such as {shown}"


def listed(root: Path) -> Listing:
    """Return what is in a folder and in the folders below it."""
    found = Listing()
    real = os.path.realpath(root)
    for folder, folders, names in os.walk(root):
        kept = []
        for name in sorted(folders):
            path = Path(folder, name)
            shown = path.relative_to(root).as_posix()
            if name.startswith("."):
                continue
            if path.is_symlink():
                found.note(LINKED, f"{shown}, which leads to {os.path.realpath(path)}")
            elif (path / FOLDER).is_dir():
                found.note(OUTPUTS, shown)
            else:
                kept.append(name)
        folders[:] = kept
        for name in sorted(names):
            if not name.startswith("."):
                _look(found, Path(folder, name), Path(folder, name).relative_to(root).as_posix(), real)
    return found


def _look(found: Listing, path: Path, shown: str, root: str) -> None:
    """List a file as an image, or note why it is left out."""
    if path.is_symlink() and not path.exists():
        found.note(DANGLING, shown)
        return
    if not path.is_file():
        found.note(OTHER, shown)
        return
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        found.note(UNREADABLE, shown)
        return
    if not (any(head.startswith(signatures) for _, signatures, _ in READERS) or head[128:] == b"DICM"):
        found.note(OTHER, shown)
        return
    try:
        shown.encode("utf-8")
    except UnicodeEncodeError:
        found.note(NO_TEXT, shown)
        return
    control = any(unicodedata.category(character) == "Cc" for character in shown)
    if shown != shown.strip(" ") or control or outside(shown) or unusable(mirrored(shown)):
        found.note(UNFIT, repr(shown))
        return
    if path.is_symlink() and not os.path.realpath(path).startswith(root + os.sep):
        found.note(OUTSIDE, shown)
    found.images.append(shown)
