"""What may be found, by kind: what it means, and what to do. The order is that in which they are told."""

from __future__ import annotations

from typing import NamedTuple

MISSING, EXTRA, HALF_MADE, CHECKSUM = "missing", "extra", "half-made", "checksum"
SWAPPED, UID, DUPLICATE, UNREADABLE = "swapped", "uid", "duplicate", "unreadable"
META, VALUE, PIXELS, WINDOW, CONTENT = "meta", "value", "pixels", "window", "content"
STANDARD, DCIODVFY, SOURCE, MANIFEST, UNPROVEN = "standard", "dciodvfy", "source", "manifest", "unproven"


class Kind(NamedTuple):
    """One kind of finding."""

    meaning: str
    remedy: str


_AGAIN = "Remove the file and convert again"
KINDS: dict[str, Kind] = {
    MISSING: Kind("files that the ledger has and the folder hasn't", "Convert again: such rows are made anew"),
    EXTRA: Kind("files that the ledger doesn't know", "Move them away, or remove them"),
    HALF_MADE: Kind("files that a killed run left half-made", "Convert again, which clears them away"),
    CHECKSUM: Kind("files that were altered after they were written", f"{_AGAIN}; if it comes back, check the disk"),
    SWAPPED: Kind("files that hold another row's object", "Remove both files and convert again"),
    UID: Kind("UIDs that aren't the row's", _AGAIN),
    DUPLICATE: Kind(
        "SOP Instance UIDs of several files", "Give rows an `instance` each, or leave SOPInstanceUID empty"
    ),
    UNREADABLE: Kind("files that can't be read as DICOM", _AGAIN),
    META: Kind("file meta information that isn't the data set's", _AGAIN),
    VALUE: Kind(
        "values that aren't the manifest's",
        "Convert again if the manifest has changed since; else remove the file and convert again",
    ),
    PIXELS: Kind("pixels that aren't the source's", f"{_AGAIN}; if it comes back, please report it with the image"),
    WINDOW: Kind("windows that don't follow from the pixels", _AGAIN),
    CONTENT: Kind("attributes that the converter would write otherwise", _AGAIN),
    STANDARD: Kind("what the DICOM Standard doesn't allow", "Correct the manifest and convert again, or report it"),
    DCIODVFY: Kind("errors by dciodvfy", "Correct the manifest and convert again, or report it"),
    SOURCE: Kind("sources that are gone, or others than were converted", "Fetch the source again, or convert again"),
    MANIFEST: Kind("rows whose cells or settings are others than they were converted with", "Convert again"),
    UNPROVEN: Kind("what couldn't be decided", "Look at the reason; nothing is known to be wrong"),
}


class Found(NamedTuple):
    """One thing found in a file."""

    kind: str
    where: str
    what: str
