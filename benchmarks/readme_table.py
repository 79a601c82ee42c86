"""The table of throughput in the help page on scale, from the results: `python -m benchmarks.readme_table` puts it there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS
from benchmarks.throughput import WORKLOADS

PAGE = Path(__file__).parents[1] / "bulkdcm" / "help" / "scale.md"
_MINE = "bulkdcm, 2 workers"
_MARKS = re.compile(r"(<!-- throughput[^>]*-->\n).*?(<!-- /throughput -->)", re.DOTALL)


def table(results: dict[str, Any]) -> str:
    """Return the table as Markdown.

    Parameters
    ----------
    results
        Of `benchmarks.throughput`.
    """
    lines = ["| images | bulkdcm | the others (and how many times as long they take) |", "| --- | --- | --- |"]
    for place, workloads in results["places"].items():
        for name in WORKLOADS:  # the short ones are for us
            figures = workloads[name]
            rates, longer = figures["images_per_s"], figures["their_time_over_ours"]
            others = [
                f"{tool} {rates[tool]:,.0f}/s ({longer[tool]:.1f})"
                for tool in sorted(rates, key=rates.__getitem__, reverse=True)
                if not tool.startswith("bulkdcm")
            ]
            lines.append(f"| {figures['images']:,} {name}, {place} | {rates[_MINE]:,.0f}/s | {', '.join(others)} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """Return a page with the table of the saved results."""
    results = json.loads((RESULTS / "throughput.json").read_text(encoding="utf-8"))
    return _MARKS.sub(lambda marks: marks[1] + table(results) + marks[2], text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
