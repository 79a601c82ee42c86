"""A report as a notebook shows it."""

from __future__ import annotations

from html import escape
from typing import Any

from bulkdcm.printable import visible

_CAUSES = 10


def html(facts: dict[str, Any]) -> str:
    """Return the summary of a report as HTML.

    Parameters
    ----------
    facts
        As `Report.summary` gives them.
    """
    words = [f"<b>{facts['converted']:,} of {facts['rows']:,} rows converted</b>"]
    words += [f"{facts[name]:,} {name}" for name in ("failed", "pending") if facts[name]]
    rate = f"{facts['elapsed_s']:,.1f} s with {facts['workers']} workers, {facts['images_per_s']:,} images/s"
    return f"<div><p>{', '.join(words)}<br>{rate}</p>{_failures(facts['failures'])}</div>"


def _failures(failures: list[dict[str, Any]]) -> str:
    if not failures:
        return ""
    rows = "".join(
        f"<tr><td>{one['rows']:,}</td><td>{escape(one['stage'])}</td>"
        f'<td style="text-align:left">{escape(visible(one["examples"][0]))}</td></tr>'
        for one in failures[:_CAUSES]
    )
    others = sum(one["rows"] for one in failures[_CAUSES:])
    more = f"<tr><td>{others:,}</td><td></td><td>for other reasons</td></tr>" if others else ""
    return f"<table><thead><tr><th>failed</th><th>stage</th><th>reason</th></tr></thead><tbody>{rows}{more}</tbody></table>"
