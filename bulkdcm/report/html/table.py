"""The rows as compact columns for the page's table and tree: each text once, and a number a row."""

from __future__ import annotations

import json
from itertools import compress
from typing import TYPE_CHECKING, Any

from bulkdcm.printable import visible
from bulkdcm.report.html import names, words
from bulkdcm.report.rows import PATIENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bulkdcm.ledger.block import Block

MOST = 100_000
"""Rows that the page holds; of more, those that aren't converted, as many again."""
# Whose texts are shown as they are, or by a name.
_TEXTS: dict[str, tuple[str, Callable[[str], str]]] = {
    "status": ("status", str),
    "stage": ("stage", str),
    "error": ("error", visible),
    "sop_class_uid": ("class", names.sop_class),
    "transfer_syntax_uid": ("syntax", names.transfer_syntax),
    "photometric_interpretation": ("photometric", visible),
    "decisions": ("decisions", visible),
    "reason": ("ran", visible),
}
_NUMBERS = {
    "line": "line",
    "columns": "width",
    "rows": "height",
    "bits_stored": "bits",
    "samples_per_pixel": "samples",
    "source_size_bytes": "read",
    "output_size_bytes": "written",
    "attempt": "attempt",
}
_IDENTIFYING = {"source": "source", "sop_instance_uid": "instance"}
_LEVELS = {"study_instance_uid": "study", "series_instance_uid": "series"}


class Texts:
    """A column of texts: each distinct one once, and its number for each row; -1 for none."""

    def __init__(self, shown: Callable[[str], str] = str) -> None:
        self._shown = shown
        self._numbers: dict[str | None, int] = {None: -1}
        self.codes: list[int] = []

    def take(self, block: Block, name: str) -> None:
        """Take the next rows."""
        if name in block.same:
            self.codes += [self._number(block.same[name])] * block.count
        else:
            self.extend(block.varying[name])

    def extend(self, values: Iterable[str | None]) -> None:
        """Take the values of the next rows."""
        known, number = self._numbers, self._number
        self.codes += [known[value] if value in known else number(value) for value in values]

    def _number(self, value: str | None) -> int:
        return self._numbers.setdefault(value, len(self._numbers) - 1)

    def as_json(self) -> dict[str, Any]:
        """Return the texts as they are shown, and the numbers."""
        return {"texts": [self._shown(text) for text in self._numbers if text is not None], "codes": self.codes}

    def numbered(self, *, texts: bool) -> dict[str, Any]:
        """Return the numbers from 1, in the order of their coming, and only on request the texts."""
        return {
            "numbers": [code + 1 or None for code in self.codes],
            **({"names": self.as_json()["texts"]} if texts else {}),
        }


class Table:
    """The rows that the page holds.

    Parameters
    ----------
    identifiers
        Whether paths, UIDs and messages as they are may be in it.

    Attributes
    ----------
    held
        How many rows.
    """

    def __init__(self, *, identifiers: bool) -> None:
        self.held = 0
        self._identifiers = identifiers
        self._texts = {name: Texts(shown) for name, (_, shown) in _TEXTS.items()}
        self._numbers: dict[str, list[Any]] = {name: [] for name in _NUMBERS}
        self._levels = {name: Texts() for name in _LEVELS}
        self._own = {name: Texts(visible) for name in (_IDENTIFYING if identifiers else ())}
        self._why, self._file, self._output = Texts(), Texts(), Texts(visible)
        self._seconds: list[float] = []
        self._now: list[int] = []
        self.patients: list[int] = []

    def take(self, block: Block, ran: Sequence[int], seconds: Sequence[float]) -> None:
        """Take the next rows, as far as there is room: of each whether this run did it, and what it took."""
        if self.held >= MOST:
            wanted = [status != "converted" for status in block["status"]]
            if not any(wanted) or self.held >= 2 * MOST:
                return
            block, seconds, ran = block.where(wanted), list(compress(seconds, wanted)), list(compress(ran, wanted))
        self.held += block.count
        for found in (self._texts, self._levels, self._own):
            for name, texts in found.items():
                texts.take(block, name)
        for name, numbers in self._numbers.items():
            numbers.extend(block[name])
        self._why.extend(self._reasons(block))
        self._file.extend([words.ending(source) or None for source in block["source"]])
        if self._identifiers:
            named = zip(block["source"], block["output"], strict=True)
            self._output.extend([None if output == mirrored(source) else output for source, output in named])
        self._seconds += [round(spent, 3) for spent in seconds]
        self._now += map(int, ran)
        self.patients += block[PATIENT]

    def _reasons(self, block: Block) -> Iterable[str | None]:
        if "message" in block.same and block.same["message"] is None:
            return [None] * block.count
        told = zip(block["message"], block["source"], block["output"], strict=True)
        return [
            None if not message else words.reason(message, found, identifiers=self._identifiers)
            for message, *found in told
        ]

    def as_json(self, patients: dict[int, str]) -> str:
        """Return the columns as JSON that may stand in a page: no ``<`` begins a tag in it.

        Parameters
        ----------
        patients
            What patients are called, by their numbers; empty for numbers alone.
        """
        columns: dict[str, dict[str, Any]] = {
            _NUMBERS[name]: {"numbers": found} for name, found in self._numbers.items()
        }
        columns |= {_TEXTS[name][0]: texts.as_json() for name, texts in self._texts.items()}
        columns |= {_LEVELS[name]: texts.numbered(texts=self._identifiers) for name, texts in self._levels.items()}
        columns |= {_IDENTIFYING[name]: texts.as_json() for name, texts in self._own.items()}
        columns |= {
            "why": self._why.as_json(),
            "file": self._file.as_json(),
            "output": self._output.as_json(),
            "seconds": {"numbers": self._seconds},
            "now": {"numbers": self._now},
            PATIENT: {"numbers": [number or None for number in self.patients]},
        }
        if patients:
            columns[PATIENT]["names"] = [patients.get(n, "") for n in range(1, max(patients) + 1)]
        found = {"rows": self.held, "columns": {name: _same(column) for name, column in columns.items()}}
        text = json.dumps(found, separators=(",", ":"), ensure_ascii=False)
        for character in "<>&\u2028\u2029":
            text = text.replace(character, f"\\u{ord(character):04x}")
        return text


def mirrored(source: str) -> str:
    """Return the name of an output that follows from its source's, as most do: the page needs no second text for it."""
    return f"{source.rpartition('.')[0] or source}.dcm"


def _same(column: dict[str, Any]) -> dict[str, Any]:
    """Return a column with one number for all rows that have the same."""
    for name in ("codes", "numbers"):
        found = column.get(name)
        if found and found.count(found[0]) == len(found):
            return {**column, name: found[0]}
    return column
