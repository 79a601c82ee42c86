"""The page: what the parts have counted, put into the template. Everything in it is escaped; its own script and style are named by hash."""

from __future__ import annotations

import base64
import hashlib
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from bulkdcm._version import __version__
from bulkdcm.printable import ERRORS, visible
from bulkdcm.report.html import happened, made, words
from bulkdcm.report.html.facts import Facts, seconds_of
from bulkdcm.report.html.sheet import Sheet
from bulkdcm.report.html.table import Table

if TYPE_CHECKING:
    from typing import IO

    from bulkdcm.ledger.block import Block
    from bulkdcm.report.html.sheet import Shown
    from bulkdcm.report.report import Report

GENERATOR = "bulkdcm report"
_SCRIPTS = ("theme.js", "columns.js", "row.js", "table.js", "tree.js", "start.js")


class Page:
    """The page of a report, while the report's rows go by.

    Parameters
    ----------
    report
        Of which it is.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._identifiers = report.look.identifiers
        self._at = 0
        self._facts = Facts()
        self._sheet = Sheet(len(report.rows))
        self._table = Table(identifiers=self._identifiers)
        self._outputs: dict[int, str] = {}

    def take(self, block: Block) -> None:
        """Take the next rows."""
        seconds, ran = seconds_of(block), self._report.rows.ran[self._at : self._at + block.count]
        self._facts.take(block, ran, seconds)
        self._sheet.take(block, self._at)
        self._at += block.count
        held = self._table.held
        self._table.take(block, ran, seconds)
        if self._identifiers and self._table.held > held:
            for patient, status, output in zip(block["patient"], block["status"], block["output"], strict=True):
                if status == "converted":
                    self._outputs.setdefault(patient, output)

    def write(self, file: IO[bytes]) -> None:
        """Write the page of the rows that went by."""
        style, script = _text("page.css"), "".join(map(_text, _SCRIPTS))
        text = template().render(
            generator=GENERATOR,
            release=__version__,
            style=style,
            script=script,
            policy=_policy(style, script),
            report=self._report,
            asked=self._report.asked,
            words=words,
            identifiers=self._identifiers,
            happened=happened.happened(self._report, self._facts),
            made=made.made(self._facts),
            went=happened.went(self._report, self._facts),
            sheet=self._cells,
            held=self._table.held,
            data=self._table.as_json(self._patients),
        )
        file.write(text.encode("utf-8", ERRORS))

    @cached_property
    def _cells(self) -> list[Shown]:
        look = self._report.look
        return self._sheet.cells(look.pictures, self._why) if look.pictures else []

    def _why(self, row: dict[str, Any]) -> str:
        found = (row["source"], row["output"])
        return words.reason(row["message"] or "", found, identifiers=self._identifiers)

    @property
    def _patients(self) -> dict[int, str]:
        patient_of = self._report.look.patient_of
        if not (self._identifiers and patient_of):
            return {}
        found = {number: patient_of(output) for number, output in self._outputs.items() if number}
        return {number: visible(" · ".join(filter(None, patient))) for number, patient in found.items()}


@cache
def template() -> Any:
    """Return the template of the page, compiled once: that takes longer than a small run's images."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # only where a page is written

    environment = Environment(
        loader=PackageLoader("bulkdcm.report.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment.get_template("page.html")


def _text(name: str) -> str:
    return files("bulkdcm.report.html").joinpath("assets", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy: nothing from anywhere, and of what is here only our own script and style."""
    digests = {
        kind: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
        for kind, text in (("style", style), ("script", script))
    }
    allowed = "".join(f" {kind}-src 'sha256-{digest}';" for kind, digest in digests.items())
    return f"default-src 'none';{allowed} img-src data:; base-uri 'none'; form-action 'none'"
