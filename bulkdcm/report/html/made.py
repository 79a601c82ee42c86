"""What was made: classes, syntaxes, sizes, depths, decisions and duplicates, as lists with their shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bulkdcm.printable import visible
from bulkdcm.report.html import charts, names, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bulkdcm.report.html.charts import Line
    from bulkdcm.report.html.facts import Facts


class Kinds(NamedTuple):
    """The values of one thing, and how many rows have each."""

    title: str
    lines: list[Line]


def made(facts: Facts) -> dict[str, Any]:
    """Return what the converted rows are."""
    counts = facts.counts
    sizes = {words.dimensions(columns, rows): count for (columns, rows), count in facts.dimensions.items() if columns}
    found = [
        Kinds("SOP classes", _named(counts["sop_class_uid"], names.sop_class)),
        Kinds("Transfer syntaxes", _named(counts["transfer_syntax_uid"], names.transfer_syntax)),
        Kinds("Photometric interpretations", _named(counts["photometric_interpretation"], visible)),
        Kinds(words.dimensions("Columns", "rows"), charts.ranking(sizes)),
        Kinds("Bits stored", _named(counts["bits_stored"], lambda bits: words.count(bits, "bit"))),
    ]
    duplicates = facts.duplicates()
    return {
        "kinds": [kinds for kinds in found if kinds.lines],
        "decisions": _named(facts.decisions, visible),
        "duplicates": duplicates,
        "alike": [", ".join(f"{line:,}" for line in lines) for lines in duplicates.examples],
    }


def _named(counts: Mapping[Any, int], told: Callable[[Any], str]) -> list[Line]:
    named: dict[str, int] = {}
    for value, count in counts.items():
        if value is not None and value != "":
            name = told(value)
            named[name] = named.get(name, 0) + count
    return charts.ranking(named)
