"""What is in a folder of images: the images, by content, and what is left out, with the reason."""

from __future__ import annotations

import os
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bulkdcm import names
from bulkdcm.errors import SettingsError
from bulkdcm.images import READERS
from bulkdcm.ledger.files import FOLDER
from bulkdcm.manifest import mirrored, outside, unusable
from bulkdcm.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD_BYTES = 132
_SHOWN = 3
OTHER, HIDDEN, SPECIAL, LINKED, OUTSIDE, DANGLING, OUTPUTS, OUTPUT, UNREADABLE, UNLISTED, NO_TEXT, UNFIT = (
    "other files",
    "hidden names, which begin with a dot",
    "pipes, sockets or devices",
    "linked folders, not entered",
    "links that lead outside the folder; --follow-links takes them",
    "links that lead nowhere",
    "folders with the outputs of an earlier run",
    "DICOM files in the output folder of an earlier run",
    "files that can't be read",
    "folders that can't be listed",
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
    dicom
        Those of them that are DICOM files.
    facts
        What images say of themselves, if that was asked for as they were listed.
    noted
        For each kind of thing that is left out: which.
    said
        For each kind of other thing that the user should know of: which.
    """

    images: list[str] = field(default_factory=list)
    dicom: set[str] = field(default_factory=set)
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    noted: dict[str, list[str]] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)

    def note(self, kind: str, what: str) -> None:
        """Note one thing that is left out."""
        self.noted.setdefault(kind, []).append(what)

    def say(self, kind: str, what: str) -> None:
        """Note one thing that isn't left out."""
        self.said.setdefault(kind, []).append(what)

    def notes(self) -> Iterator[str]:
        """Yield a line a kind, with its count and some examples."""
        for left, kinds in (("left out: ", self.noted), ("", self.said)):
            for kind, found in kinds.items():
                yield f"{left}{len(found):,} {kind}, such as {', '.join(map(shown, sorted(found)[:_SHOWN]))}"


def shown(text: str) -> str:
    """Return a name as one line of a terminal shows it."""
    escaped = printable(text)
    if escaped.isprintable():
        return escaped
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in escaped)


def listed(root: Path, *, follow_links: bool = False) -> Listing:
    """Return what is in a folder and in the folders below it.

    Parameters
    ----------
    root
        The folder.
    follow_links
        Whether links to files outside it are taken.

    Raises
    ------
    SettingsError
        If it can't be listed at all.
    """
    found = Listing()
    look = _Look(found, root, follow_links=follow_links)
    for folder, folders, files in os.walk(root, onerror=look.unlisted):
        folders[:] = [name for name in sorted(folders) if look.enters(Path(folder, name))]
        for name in sorted(files):
            look.at(Path(folder, name))
    return found


class _Look:
    def __init__(self, found: Listing, root: Path, *, follow_links: bool) -> None:
        self._found, self._root = found, root
        self._real = names.real(root)
        self._follow_links = follow_links
        self._is_output = is_folder(root / FOLDER)

    def unlisted(self, error: OSError) -> None:
        """Note a folder that can't be listed."""
        path = Path(error.filename)
        if path == self._root:
            msg = f"{path}: can't be listed: {error.strerror}. Name a folder that can be read."
            raise SettingsError(msg) from error
        self._found.note(UNLISTED, f"{self._name(path)} ({error.strerror})")

    def enters(self, path: Path) -> bool:
        """Return whether a folder is entered; note it if it isn't."""
        name = self._name(path)
        if path.name.startswith("."):
            if name != FOLDER:
                self._found.note(HIDDEN, name)
        elif path.is_symlink():
            self._found.note(LINKED, f"{name}, which leads to {names.real(path)}")
        elif is_folder(path / FOLDER):
            self._found.note(OUTPUTS, name)
        else:
            return True
        return False

    def at(self, path: Path) -> None:
        """List a file as an image, or note why it is left out."""
        name = self._name(path)
        kind, head = (HIDDEN, b"") if path.name.startswith(".") else _head(path)
        is_dicom = holds_dicom(head)
        if not kind and not (is_dicom or holds_image(head)):
            kind = OTHER
        if not kind and is_dicom and self._is_output:
            kind = OUTPUT
        if kind := kind or self._unfit(path, name):
            self._found.note(kind, repr(name) if kind == UNFIT else name)
            return
        self._found.images.append(name)
        if is_dicom:
            self._found.dicom.add(name)

    def _unfit(self, path: Path, name: str) -> str:
        """Return why a manifest can't name an image; empty if it can."""
        if kind := unfit(name):
            return kind
        leads_out = path.is_symlink() and not names.within(self._real, names.real(path))
        return OUTSIDE if leads_out and not self._follow_links else ""

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()


def unfit(name: str) -> str:
    """Return why a manifest can't hold a name; empty if it can."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return NO_TEXT
    control = any(unicodedata.category(character) == "Cc" for character in name)
    return UNFIT if name != name.strip(" ") or control or outside(name) or unusable(mirrored(name)) else ""


def holds_dicom(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a DICOM file."""
    return head[128:HEAD_BYTES] == b"DICM"


def holds_image(head: bytes) -> bool:
    """Whether the first bytes of a file are those of an image that can be read."""
    return any(head.startswith(signatures) for _, signatures, _ in READERS)


def is_folder(path: Path) -> bool:
    """Whether there is a folder that can be seen."""
    return os.path.isdir(path)  # noqa: PTH112  # Path.is_dir raises if a folder above is shut


def _head(path: Path) -> tuple[str, bytes]:
    """Return why a file has no content to look at (empty if it has), and its first bytes."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return SPECIAL, b""
        with path.open("rb") as file:
            return "", file.read(HEAD_BYTES)
    except OSError:
        there = os.path.exists(path)  # noqa: PTH110  # as above
        return (DANGLING if path.is_symlink() and not there else UNREADABLE), b""
