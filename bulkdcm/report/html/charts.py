"""The figures of the page's charts, in the units of their SVGs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bulkdcm.report.html import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WIDTH, HEIGHT = 720, 160
_MOST_BINS, _TOP = 72, 8


class Segment(NamedTuple):
    """A part of a bar: its name, number, share in words, and its place in percent of the bar's length."""

    name: str
    label: str
    told: str
    share: str
    start: float
    length: float


class Line(NamedTuple):
    """One line of a list of values: its name, how many, the share in words and in percent of the most frequent."""

    name: str
    told: str
    share: str
    length: float


class Curve(NamedTuple):
    """A rate over time: the path of its area, its mean and its axes."""

    area: str
    mean_y: float
    mean: str
    highest: str
    ticks: list[str]


def bar(parts: Sequence[tuple[str, str, float, str]]) -> list[Segment]:
    """Return the parts of a bar that fills its length.

    Parameters
    ----------
    parts
        Name, label, number and the number in words of each; those of 0 are left out.
    """
    total = sum(number for _, _, number, _ in parts)
    found, start = [], 0.0
    for name, label, number, told in parts:
        if number:
            length = 100 * number / total
            found.append(Segment(name, label, told, words.share(number, total), round(start, 3), round(length, 3)))
            start += length
    return found


def ranking(counts: Mapping[str, int] | Iterable[tuple[str, int]], most: int = _TOP) -> list[Line]:
    """Return values with how many rows have each, the most frequent first, the rest together."""
    items = sorted(dict(counts).items(), key=lambda item: (-item[1], item[0]))
    total = sum(count for _, count in items)
    shown = items[:most] if len(items) > most + 1 else items
    rest = items[len(shown) :]
    if rest:
        shown = [*shown, (f"{len(rest):,} others", sum(count for _, count in rest))]
    highest = max((count for _, count in shown), default=0)
    return [
        Line(name, words.count(count), words.share(count, total), round(100 * count / highest, 2))
        for name, count in shown
    ]


def pace(points: Sequence[tuple[float, int, int]], elapsed_s: float) -> Curve | None:
    """Return how many rows a second were recorded over a run; None if there is too little to draw.

    Parameters
    ----------
    points
        When rows were recorded, in seconds, and how many were converted and failed.
    elapsed_s
        How long the run took.
    """
    length_s = max(elapsed_s, points[-1][0] if points else 0.0)
    if len(points) < 3 or length_s <= 0:
        return None
    bins = max(6, min(_MOST_BINS, len(points) // 3))
    rows = [0.0] * bins
    for at_s, converted, failed in points:
        rows[min(int(at_s / length_s * bins), bins - 1)] += converted + failed
    rates = [count * bins / length_s for count in rows]
    highest, width = max(rates), WIDTH / bins
    corners = [f"M0 {HEIGHT}"]
    for place, rate in enumerate(rates):
        y = round(HEIGHT * (1 - rate / highest), 1) if highest else HEIGHT
        corners.append(f"L{place * width:.1f} {y} L{(place + 1) * width:.1f} {y}")
    mean = sum(rows) / length_s
    ticks = [words.duration(length_s * part / 4) if part else "0" for part in range(5)]
    mean_y = round(HEIGHT * (1 - mean / highest), 1) if highest else HEIGHT
    return Curve(" ".join([*corners, f"L{WIDTH} {HEIGHT} Z"]), mean_y, f"{mean:,.1f}", f"{highest:,.0f}", ticks)
