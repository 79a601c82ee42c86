"""A folder of images to a manifest: one row an image, fields from paths, numbers that count up."""

from __future__ import annotations

import re
from collections import Counter
from copy import deepcopy
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bulkdcm import iods, names
from bulkdcm.attributes import dictionary, values
from bulkdcm.draft import facts
from bulkdcm.draft.join import Join
from bulkdcm.draft.listing import listed
from bulkdcm.draft.new_file import new_file
from bulkdcm.draft.own_check import OwnCheck, RefusedColumn
from bulkdcm.draft.packed import listed as listed_archive
from bulkdcm.errors import SettingsError
from bulkdcm.manifest import Column, Manifest, mirrored, numbered, resolve
from bulkdcm.names import fold
from bulkdcm.objects import MAKERS, RESTAMP, offer
from bulkdcm.printable import printable
from bulkdcm.report import RESERVED
from bulkdcm.settings import Settings, local_path
from bulkdcm.stores import archives
from bulkdcm.stores.catalogue import Catalogue
from bulkdcm.uids import normal_form

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bulkdcm.draft.listing import Listing
    from bulkdcm.draft.options import FolderOptions

    Rows = list[dict[str, str]]

_FIELD = re.compile(r"\\\{(\w+)\\\}|(\\\*\\\*)|(\\\*)")
_SERIES_NUMBER, _INSTANCE_NUMBER = "SeriesNumber", "InstanceNumber"
_OF_THE_FILE = ("source", "sha256")
_NO_NAME = "file names that PatientName can't hold, left empty"
_NO_IMAGES = "images that are no DICOM files, which sop_class DICOM needs"
_OWN_CLASS = "DICOM files, which keep their own class instead of {}"


def draft_manifest(images: str | Path, manifest: str | Path, options: FolderOptions) -> tuple[int, list[str]]:
    """Write a manifest of the images in a folder or an archive; return how many, and what was left out, a line a kind.

    What is written passes ``bulkdcm check``, but for columns that only the user can fill in, which are said.

    Parameters
    ----------
    images
        The image root; or an archive in it, whose members' paths then are what the options speak of.
    manifest
        The CSV to write; it must not be there yet.
    options
        Where its columns come from.

    Raises
    ------
    SettingsError
        If an option can't be used, or a path doesn't fit the pattern; nothing is written then.
    """
    images, manifest = local_path("IMAGES", images), local_path("--out", manifest)
    _check_names(options)
    matcher = _matcher(options.pattern) if options.pattern else None
    root, inside = (images.parent, f"{images.name}{archives.MARK}") if is_archive(images) else (images, "")
    listing = _listed(images, options, packed=bool(inside))
    found = sorted(listing.images, key=natural)
    own = (_facts(root, path, listing, options) for path in found)
    rows = [
        _row(path, number, matcher, options, known) for number, (path, known) in enumerate(zip(found, own, strict=True))
    ]
    if options.name_from_stem:
        _drop_impossible_names(rows, listing)
    with new_file(manifest) as write:
        return _write(write, rows, _Place(root, inside), listing, options)


class _Place(NamedTuple):
    """Where images are: the image root, and what their names begin with in an archive."""

    root: Path
    inside: str


def _write(
    write: Callable[[str], Path], rows: Rows, place: _Place, listing: Listing, options: FolderOptions
) -> tuple[int, list[str]]:
    """Write the rows that the check accepts; return how many, and what is to be said."""
    join = Join(options.join, rows, options) if options.join and rows else None
    while True:
        noted, copies = deepcopy(listing), [dict(row) for row in rows]
        if join:
            join.fill(copies, noted)
        copies = _completed(copies, noted)
        for row in copies:
            row["source"] = f"{place.inside}{row['source']}"
        try:
            count = OwnCheck(place.root, options, noted, write, join.columns if join else ()).write_accepted(copies)
        except RefusedColumn as refused:
            assert join  # noqa: S101  # nothing else gives such columns
            join.leave_out(*refused.args)
        else:
            return count, [*(join.notes() if join else []), *noted.notes()]


def _completed(rows: Rows, listing: Listing) -> Rows:
    """Return the rows that can be, with what follows from their cells."""
    rows = _with_classes(rows, listing)
    for row in rows:
        facts.place_spacing(row)
    _number_instances(rows, listing.dicom)
    _tell_apart(rows)
    return rows


def is_archive(images: Path) -> bool:
    """Whether what is named is an archive, and no folder."""
    return bool(archives.ending(images.name)) and images.is_file()


def _listed(images: Path, options: FolderOptions, *, packed: bool) -> Listing:
    if not packed:
        return listed(images, follow_links=options.follow_links)
    root = names.real(images.parent)
    with Catalogue(root, follow_links=options.follow_links) as catalogue:
        return listed_archive(images.name, catalogue, options.facts)


def _check_names(options: FolderOptions) -> None:
    named = [
        *((name, f"--pattern {options.pattern}") for name in re.findall(r"\{(\w*)\}", options.pattern)),
        *((name, f"--number {name}={start}") for name, start in options.numbers),
        *((name, f"--set {name}={text}") for name, text in options.constants),
    ]
    for text in (options.pattern, *(part for pair in (*options.numbers, *options.constants) for part in pair)):
        if printable(text) != text:
            msg = f"{text!r} is no text in UTF-8. Write it in the encoding of this system."
            raise SettingsError(msg)
    for name, option in named:
        if name in _OF_THE_FILE:
            msg = f"{option}: {name!r} is a fact of each file, which no option gives. Leave it out."
            raise SettingsError(msg)
        if name not in dictionary.RESERVED and dictionary.find(name) is None:
            msg = f"{option}: {name!r} is no DICOM keyword. {dictionary.did_you_mean(name)}".rstrip()
            raise SettingsError(msg)
    for name, start in options.numbers:
        if not re.fullmatch(r"[0-9]{1,18}", start):
            msg = f"--number {name}={start}: count from a whole number, such as --number PatientID=001."
            raise SettingsError(msg)
    for name, text in options.constants:
        if name not in dictionary.RESERVED and text and (rule := values.broken_rule(name, text)):
            msg = f"--set {name}={text}: {rule}."
            raise SettingsError(msg)
    for name in options.facts:
        if name not in facts.FACTS:
            msg = f"--with {name!r} is not possible. Possible: {', '.join(facts.FACTS)}."
            raise SettingsError(msg)


def _matcher(pattern: str) -> re.Pattern[str]:
    def part(match: re.Match[str]) -> str:
        if match[1]:
            return f"(?P<{match[1]}>[^/]+?)"
        return ".*" if match[2] else "[^/]*"

    try:
        return re.compile(_FIELD.sub(part, re.escape(pattern)))
    except re.error as error:
        msg = f"--pattern {pattern!r}: {error}. Name each field once, such as {{PatientID}}/{{InstanceNumber}}.png."
        raise SettingsError(msg) from error


def natural(path: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts numbers in names by their value: image 2 before image 10."""
    parts = re.split(r"(\d+)", path)
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part.casefold()) for part in parts]


def _facts(root: Path, path: str, listing: Listing, options: FolderOptions) -> dict[str, str]:
    """Return what an image says of itself, as far as it is asked for."""
    if path in listing.facts:
        return listing.facts[path]
    return {column: text for name in options.facts for column, text in facts.FACTS[name](root / path).items()}


def _row(
    path: str, number: int, matcher: re.Pattern[str] | None, options: FolderOptions, own: dict[str, str]
) -> dict[str, str]:
    row = {"source": path, **dict(options.constants)}
    for name, start in options.numbers:
        row[name] = str(int(start) + number).zfill(len(start))
    if options.name_from_stem:
        row["PatientName"] = values.person_name(PurePosixPath(path).stem)
    row |= own
    if matcher:
        match = matcher.fullmatch(path)
        if match is None:
            msg = (
                f"{path} doesn't fit --pattern {options.pattern}. Correct the pattern (* stands for anything in a name), "
                "or move such files out of the folder."
            )
            raise SettingsError(msg)
        row |= match.groupdict()
    return row


def _drop_impossible_names(rows: Rows, listing: Listing) -> None:
    for row in rows:
        if values.broken_rule("PatientName", row["PatientName"]):
            listing.say(_NO_NAME, row["source"])
            row["PatientName"] = ""


def _with_classes(rows: Rows, listing: Listing) -> Rows:
    """Return the rows, each with a class that its file's content agrees with: the check reads names only."""
    kept = []
    for row in rows:
        source, named = row["source"], row.get("sop_class", "")
        as_dicom = named == RESTAMP or (not named and source.lower().endswith(MAKERS[RESTAMP].endings))
        if source in listing.dicom and not as_dicom:
            row["sop_class"] = RESTAMP
            if named:
                listing.say(_OWN_CLASS.format(named), source)
        elif source not in listing.dicom and as_dicom:
            if named:
                listing.note(_NO_IMAGES, source)
                continue
            row["sop_class"] = iods.DEFAULT
        kept.append(row)
    return kept


def _number_instances(rows: Rows, dicom: Collection[str]) -> None:
    """Give each object its place in its series, as the rows will make it; frames of one object share the number.

    DICOM files keep the numbers they have.
    """
    for row in rows:
        row.setdefault(_SERIES_NUMBER, "" if row["source"] in dicom else "1")
    if not rows or _INSTANCE_NUMBER in rows[0]:
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: Column.of([row.get(name, "").strip(" ") for row in rows]) for name in names}
    lines = np.arange(len(rows), dtype=np.int32)
    resolved = resolve(Manifest(Path(), columns, lines), Settings(), offer())
    _, series = numbered(resolved)
    first = {other: members[0] for members in resolved.frames.values() for other in members}
    counts: Counter[int] = Counter()
    for ordinal, (row, code) in enumerate(zip(rows, series.tolist(), strict=True)):
        head = first.get(ordinal, ordinal)
        if head == ordinal:
            counts[code] += 1
            row[_INSTANCE_NUMBER] = "" if row["source"] in dicom else str(counts[code])
    for ordinal, head in first.items():
        rows[ordinal][_INSTANCE_NUMBER] = rows[head][_INSTANCE_NUMBER]


def _tell_apart(rows: Rows) -> None:
    """Give rows whose outputs or keys would be one what makes them two: other outputs, an instance of their own."""
    planned = [fold(mirrored(row["source"])) for row in rows]
    folders = {str(above) for output in planned for above in PurePosixPath(output).parents}
    counts = Counter(planned)
    taken = set(planned) | folders
    forms = Counter(normal_form(row["source"]) for row in rows)
    numbers: Counter[str] = Counter()
    for row, output in zip(rows, planned, strict=True):
        reserved = output.split("/", 1)[0] in RESERVED
        if (reserved or counts[output] > 1 or output in folders) and "output" not in row:
            stem = f"_{row['source']}" if reserved else row["source"]
            numbered = (f"{stem}{number}.dcm" for number in ("", *map("-{}".format, range(2, len(rows) + 2))))
            row["output"] = next(name for name in numbered if fold(name) not in taken)
            taken.add(fold(row["output"]))
        if forms[key := normal_form(row["source"])] > 1 and "instance" not in row:
            numbers[key] += 1
            row["instance"] = f"{key} {numbers[key]}"
