"""A folder of images to a manifest: one row an image, fields from paths, numbers that count up."""

from __future__ import annotations

import contextlib
import csv
import io
import posixpath
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from bulkdcm.attributes import dictionary, values
from bulkdcm.draft import facts
from bulkdcm.draft.listing import listed
from bulkdcm.errors import SettingsError
from bulkdcm.manifest import fold, mirrored
from bulkdcm.uids import normal_form

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_FIELD = re.compile(r"\\\{(\w+)\\\}|(\\\*\\\*)|(\\\*)")
_SERIES_NUMBER, _INSTANCE_NUMBER = "SeriesNumber", "InstanceNumber"


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderOptions:
    """How a folder is read.

    Attributes
    ----------
    pattern
        A path with fields, as ``{PatientID}/{study}/{SeriesNumber}_{InstanceNumber}.png``; ``*`` stands for anything
        within a name, ``**`` for anything.
    numbers
        Columns that count up from image to image, and where each begins; zeros in front are kept.
    constants
        Columns with one value for all.
    name_from_stem
        PatientName from the file's name without its ending.
    facts
        Which facts of the files become columns: ``date`` (EXIF), ``density`` (PNG pHYs, JPEG JFIF).
    """

    pattern: str = ""
    numbers: tuple[tuple[str, str], ...] = ()
    constants: tuple[tuple[str, str], ...] = ()
    name_from_stem: bool = False
    facts: tuple[str, ...] = field(default_factory=tuple)


def draft_manifest(images: Path, manifest: Path, options: FolderOptions) -> tuple[int, list[str]]:
    """Write a manifest of the images in a folder; return how many, and what was left out, a line a kind.

    Parameters
    ----------
    images
        The image root.
    manifest
        The CSV to write; it must not be there yet.
    options
        Where its columns come from.

    Raises
    ------
    SettingsError
        Where an option can't be used, or a path doesn't fit the pattern.
    """
    _check_names(options)
    matcher = _matcher(options.pattern) if options.pattern else None
    listing = listed(images)
    found = sorted(listing.images, key=natural)
    if not found:
        msg = f"{images}: no image in it. Name the folder that holds the PNG or JPEG files."
        raise SettingsError(msg)
    rows = [_row(images, path, number, matcher, options) for number, path in enumerate(found)]
    _number_instances(rows)
    _tell_apart(rows)
    _write(manifest, rows)
    return len(rows), list(listing.notes())


def _check_names(options: FolderOptions) -> None:
    named = [
        *((name, f"--pattern {options.pattern}") for name in re.findall(r"\{(\w*)\}", options.pattern)),
        *((name, f"--number {name}={start}") for name, start in options.numbers),
        *((name, f"--set {name}={text}") for name, text in options.constants),
    ]
    for name, option in named:
        if name not in dictionary.RESERVED and dictionary.find(name) is None:
            msg = f"{option}: {name!r} is no DICOM keyword. {dictionary.did_you_mean(name)}".rstrip()
            raise SettingsError(msg)
    for name, start in options.numbers:
        if not re.fullmatch(r"[0-9]{1,18}", start):
            msg = f"--number {name}={start}: count from a whole number, as --number PatientID=001."
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
        msg = f"--pattern {pattern!r}: {error}. Name each field once, as {{PatientID}}/{{InstanceNumber}}.png."
        raise SettingsError(msg) from error


def natural(path: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts numbers in names by their value: image 2 before image 10."""
    parts = re.split(r"(\d+)", path)
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part.casefold()) for part in parts]


def _row(root: Path, path: str, number: int, matcher: re.Pattern[str] | None, options: FolderOptions) -> dict[str, str]:
    row = {"source": path, **dict(options.constants)}
    for name, start in options.numbers:
        row[name] = str(int(start) + number).zfill(len(start))
    if options.name_from_stem:
        row["PatientName"] = values.person_name(PurePosixPath(path).stem)
    for name in options.facts:
        row |= facts.FACTS[name](root / path)
    if matcher:
        match = matcher.fullmatch(path)
        if match is None:
            msg = (
                f"{path} doesn't fit --pattern {options.pattern}. Correct the pattern (* stands for anything in a name), "
                "or move such files out of the folder."
            )
            raise SettingsError(msg)
        row |= match.groupdict()
    row.setdefault(_SERIES_NUMBER, "1")
    return row


def _number_instances(rows: list[dict[str, str]]) -> None:
    """Give each row its place in its series; a folder is a series where nothing else tells them apart."""
    if _INSTANCE_NUMBER in rows[0]:
        return
    counts: dict[tuple[str, ...], int] = {}
    telling = [name for name in rows[0] if name not in {"source", "PatientName"}]
    for row in rows:
        key = (posixpath.dirname(row["source"]), *(row[name] for name in telling))
        counts[key] = counts.get(key, 0) + 1
        row[_INSTANCE_NUMBER] = str(counts[key])


def _tell_apart(rows: list[dict[str, str]]) -> None:
    """Give rows whose outputs or keys would be one what makes them two: other outputs, an instance of their own."""
    planned = [fold(mirrored(row["source"])) for row in rows]
    folders = {str(above) for output in planned for above in PurePosixPath(output).parents}
    counts = Counter(planned)
    taken = set(planned) | folders
    forms = Counter(normal_form(row["source"]) for row in rows)
    numbers: Counter[str] = Counter()
    for row, output in zip(rows, planned, strict=True):
        if (counts[output] > 1 or output in folders) and "output" not in row:
            row["output"] = next(
                name
                for name in (
                    f"{row['source']}{number}.dcm" for number in ("", *map("-{}".format, range(2, len(rows) + 2)))
                )
                if fold(name) not in taken
            )
            taken.add(fold(row["output"]))
        if forms[key := normal_form(row["source"])] > 1 and "instance" not in row:
            numbers[key] += 1
            row["instance"] = f"{key} {numbers[key]}"


def _write(manifest: Path, rows: Iterable[dict[str, str]]) -> None:
    """Write the whole manifest, or none."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    data = text.getvalue().encode("utf-8")
    made = False
    try:
        with manifest.open("xb") as file:
            made = True
            file.write(data)
    except FileExistsError as error:
        msg = f"--out {manifest}: there is a file already. Name another, or remove it."
        raise SettingsError(msg) from error
    except OSError as error:
        if made:
            with contextlib.suppress(OSError):
                manifest.unlink()
        msg = f"--out {manifest}: {error.strerror}. Name a file that can be written."
        raise SettingsError(msg) from error
