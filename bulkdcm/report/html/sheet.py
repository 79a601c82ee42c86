"""Which rows the contact sheet shows: of each cause of failure some, then converted ones from the first to the last, evenly."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, NamedTuple

from bulkdcm.problem import unnamed
from bulkdcm.report.html import names, words
from bulkdcm.report.look import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bulkdcm.ledger.block import Block
    from bulkdcm.report.look import Picture

MOST, _FAILED, _OF_A_CAUSE = 36, 12, 3


class Shown(NamedTuple):
    """One cell of the sheet.

    Attributes
    ----------
    line, source
        Of the row.
    converted
        Whether it has an output.
    about
        What it is, or why it failed.
    said
        What there is to know of the picture.
    uri, width, height
        Of the picture; an empty address if there is none.
    """

    line: int
    source: str
    converted: bool
    about: str
    said: str
    uri: str
    width: int
    height: int


class Sheet:
    """The rows that the contact sheet may show.

    Parameters
    ----------
    rows
        How many there are, from which the distance of those that are shown follows.
    """

    def __init__(self, rows: int) -> None:
        self._step, self._next = max(rows / MOST, 1.0), 0.0
        self._failed: dict[tuple[str | None, str], list[dict[str, Any]]] = {}
        self._converted: list[dict[str, Any]] = []
        self._last = ""

    def take(self, block: Block, first: int) -> None:
        """Look at the next rows, of which the first has this ordinal."""
        statuses = block["status"]
        if "failed" in statuses:
            for place, status in enumerate(statuses):
                if status == "failed":
                    self._take_failed(block, place, first)
        for place, status in enumerate(statuses):
            if first + place >= self._next and status == "converted" and block["output"][place] != self._last:
                row = _row(block, place, first)
                self._last = row["output"]
                self._converted.append(row)
                self._next = max(self._next + self._step, first + place + 1)

    def _take_failed(self, block: Block, place: int, first: int) -> None:
        source, output = block["source"][place], block["output"][place]
        key = (block["stage"][place], unnamed(block["message"][place] or "", (source, output)))
        found = self._failed.setdefault(key, [])
        if len(found) < _OF_A_CAUSE:
            found.append(_row(block, place, first))

    def chosen(self) -> list[dict[str, Any]]:
        """Return the rows to show: one of each cause, then a second and a third, and converted ones."""
        failed = [rows[n] for n in range(_OF_A_CAUSE) for rows in self._failed.values() if n < len(rows)]
        failed = sorted(failed[:_FAILED], key=lambda row: row["ordinal"])
        left = MOST - len(failed)
        step = max(len(self._converted) / left, 1.0)
        evenly = [self._converted[int(n * step)] for n in range(min(left, len(self._converted)))]
        return [*failed, *evenly]

    def cells(
        self, pictures: Callable[[Sequence[Wanted]], Sequence[Picture]], why: Callable[[dict[str, Any]], str]
    ) -> list[Shown]:
        """Return the cells with their pictures.

        Parameters
        ----------
        pictures
            Makes them.
        why
            Returns why a row failed, in words that the page may say.
        """
        rows = self.chosen()
        wanted = [
            Wanted(row["ordinal"], row["source"], row["output"] or "", row["status"] == "converted") for row in rows
        ]
        return [_cell(row, picture, why) for row, picture in zip(rows, pictures(wanted), strict=True)]


def _row(block: Block, place: int, first: int) -> dict[str, Any]:
    wanted = ("line", "source", "output", "status", "message", "sop_class_uid", "rows", "columns", "bits_stored")
    return {"ordinal": first + place, **{name: block[name][place] for name in wanted}}


def _cell(row: dict[str, Any], picture: Picture, why: Callable[[dict[str, Any]], str]) -> Shown:
    converted = row["status"] == "converted"
    if converted:
        dimensions = words.dimensions(row["columns"], row["rows"])
        about = f"{names.sop_class(row['sop_class_uid'] or '')}, {dimensions}, {row['bits_stored']} bits"
    else:
        about = why(row)
    uri = f"data:image/jpeg;base64,{base64.b64encode(picture.data).decode('ascii')}" if picture.data else ""
    return Shown(row["line"], row["source"], converted, about, picture.said, uri, picture.width, picture.height)
