"""A mapping proposed by the names of a table's columns, all of their cells and the files beside it, for the user to edit.

What every cell allows is proposed; what they leave open is a `question` in the column's table, which `check` repeats until it
is answered. What only the cells suggest, and no name says, is a question too, or a comment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.attributes import values
from bulkdcm.draft import cells_of
from bulkdcm.draft.by_values import guesses
from bulkdcm.draft.headers import named
from bulkdcm.draft.listing import shown
from bulkdcm.draft.sources import source_of
from bulkdcm.manifest.date_forms import clock_of, has_clock
from bulkdcm.manifest.readers import Form, read_table
from bulkdcm.manifest.readings import tidy

if TYPE_CHECKING:
    from pathlib import Path

    from bulkdcm.draft.by_values import Guess
    from bulkdcm.draft.headers import Named
    from bulkdcm.manifest import Manifest

_ALWAYS = ("source", "PatientID", "StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber", "Modality")
_MISSING = {
    "PatientID": 'PatientID = ""  # no column looks like it',
    "SeriesNumber": 'SeriesNumber = "1"',
    "InstanceNumber": 'InstanceNumber = { count = ["PatientID"] }',
    "Modality": 'Modality = "OT"  # CR, DX, US, XC …: what the images are',
}
_STUDY_ID = 'StudyID = ""  # of {name}, which is longer than it may be, the key `study` is made'


def propose_mapping(path: Path, encoding: str) -> str:
    """Return a mapping for a dataset's own table as TOML text.

    Parameters
    ----------
    path
        The table.
    encoding
        Of its text.

    Raises
    ------
    ManifestError
        If it can't be read.
    """
    table = read_table(path, Form(encoding=encoding, foreign=True))
    found = by_names(table)
    rivals = [found.used.pop("source")] if "source" in found.used else []
    source, draft = source_of(table, [*rivals, *found.rivals.pop("source", ())], path.parent)
    lines = [f"# A proposal for {path.name}: read each line, correct it, then `bulkdcm check {path.name} --mapping …`."]
    if encoding.lower() not in {"utf-8", "utf8"}:
        lines.append(f"encoding = {cells_of.text(encoding)}")
    taken = {source, *found.used.values()}
    guessed = guesses(table, taken, found.used)
    lines += ["", "[columns]", f"source = {draft.toml()}"]
    lines += [_line(table, target, found, guessed.get(target)) for target in _wanted(found.used, guessed)]
    taken |= {guess.names[0] for target, guess in guessed.items() if guess.certain or target == "PatientID"}
    left = [shown(name) for name in table.columns if name and name not in taken]
    lines += ["", f"# not used: {', '.join(left)}"] if left else []
    return "\n".join(lines) + "\n"


def by_names(table: Manifest) -> Named:
    """Return which columns are what by their names, and by what their cells show them to be besides."""
    found = named(table.columns)
    used = found.used
    time, date = used.get("StudyTime", ""), used.get("StudyDate", "")
    if date and not time and any(map(has_clock, table.column(date).values)):
        used["StudyTime"] = date
    times = [tidy(cell) for cell in table.column(time).values if tidy(cell)] if time and not date else []
    if times and all(map(clock_of, times)):  # which follows a date
        used["StudyDate"] = time
    study = used.get("StudyID", "")
    if any(cell and values.broken_rule("StudyID", cell.strip(" ")) for cell in table.column(study).values if study):
        used["study"] = used.pop("StudyID")
        found.rivals["study"] = found.rivals.pop("StudyID")
    return found


def _wanted(used: dict[str, str], guessed: dict[str, Guess]) -> list[str]:
    targets = [*_ALWAYS[1:], *(target for target in (*used, *guessed) if target not in _ALWAYS)]
    keys = [target for target in ("PatientID", "study") if target in targets]
    return list(dict.fromkeys([*keys, *targets]))


def _line(table: Manifest, target: str, found: Named, guess: Guess | None) -> str:
    """Return the line of one column of the manifest."""
    name = found.used.get(target, "")
    if not name:
        if target == "StudyID" and "study" in found.used:
            return _STUDY_ID.format(name=shown(found.used["study"]))
        missing = _MISSING.get(target, f'{target} = ""  # not in the file; validators warn if it is empty')
        return _guessed(table, target, guess, found.used) if guess else missing
    draft = cells_of.draft(table, target, name, found.used.get("StudyDate", ""))
    if others := found.rivals.get(target):
        draft.ask(f"{' and '.join(others)} looks like it too: is {name} right?")
    return f"{target} = {draft.toml()}"


def _guessed(table: Manifest, target: str, guess: Guess, used: dict[str, str]) -> str:
    """Return the line of a column that only cells suggest: proposed where they make it certain, else asked or told."""
    name, *others = guess.names
    if others:
        told = f"# {target}: the cells of {' or '.join(map(shown, guess.names))} are {guess.why}"
        return f'{target} = ""  {told}' if target in _ALWAYS else told
    draft = cells_of.draft(table, target, name, used.get("StudyDate", ""))
    if guess.certain:
        draft.comment = f"no name says so, but its cells are {guess.why}"
        return f"{target} = {draft.toml()}"
    if target == "PatientID":
        draft.ask(f"no name says so, but its cells are {guess.why}: are they the patients?")
        return f"{target} = {draft.toml()}"
    told = f"# perhaps {target} = {draft.toml()}: its cells are {guess.why}"
    return f'{target} = ""  {told}' if target in _ALWAYS else told
