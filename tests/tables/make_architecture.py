"""Make the picture of the architecture from the imports: `python -m tests.tables.make_architecture`.

A box is a package, and says what its docstring says first; an arrow is an import. What follows from other arrows is left
out, and an import by way of a module of its own, such as `settings`, counts as one of what that module imports.
"""

from __future__ import annotations

import ast
import textwrap
from html import escape
from itertools import pairwise
from math import fsum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.layers import LAYERS, MODULES, PACKAGE, imported, layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE = Path(__file__).with_name("architecture.svg")
SEAMS = ("engines", "stores", "objects", "ledger")
"""What others ask for facts, and never for its name."""
_WIDTH, _HEIGHT, _GAP, _ROW, _MARGIN = 174, 78, 20, 136, 28
_LANE = 24  # as wide as an arrow that passes a row
_LINE = 23  # letters of a line in a box
_SWEEPS = 24

Graph = dict[str, set[str]]


class Node(NamedTuple):
    """A box, or, if it has a number, where the arrow to it passes a row."""

    name: str
    lower: str = ""
    row: int = -1


def graph() -> Graph:
    """Return which package imports which, without what follows from others."""
    direct: Graph = {}
    for path in MODULES:
        direct.setdefault(layer(path), set()).update(imported(path) - {layer(path)})
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}

    def below(name: str) -> set[str]:
        """Return the packages that a layer imports, through layers of a single module."""
        return {
            other for lower in direct[name] for other in ({lower} if lower in packages else below(lower))
        }  # fmt: skip

    whole = {name: below(name) for name in packages}

    def reached(name: str) -> set[str]:
        return whole[name].union(*(reached(lower) for lower in whole[name]))

    return {
        name: lower - {other for between in lower for other in reached(between)}
        for name, lower in sorted(whole.items())
    }


def rows(imports: Graph) -> dict[str, int]:
    """Return the row of each package, from the bottom up: above all that it imports, and not far below who imports it."""
    depth: dict[str, int] = {}

    def row(name: str) -> int:
        if name not in depth:
            depth[name] = max((row(lower) + 1 for lower in imports[name]), default=0)
        return depth[name]

    for name in imports:
        row(name)
    for name, lower in imports.items():
        users = [depth[user] for user, used in imports.items() if name in used]
        if not lower and users:
            depth[name] = min(users) - 1
    return depth


def arranged(imports: Graph, depth: Mapping[str, int]) -> tuple[list[list[Node]], list[tuple[Node, Node]]]:
    """Return the rows from the bottom up, in an order with few crossings, and the pieces of the arrows between them."""
    table: list[list[Node]] = [[] for _ in range(max(depth.values()) + 1)]
    pieces = []
    for name in imports:
        table[depth[name]].append(Node(name))
    for name, lower in imports.items():
        for other in sorted(lower):
            lanes = [Node(name, other, row) for row in range(depth[name] - 1, depth[other], -1)]
            for lane in lanes:
                table[lane.row].append(lane)
            pieces += pairwise([Node(name), *lanes, Node(other)])
    best = table
    for sweep in range(_SWEEPS):
        table = _swept([list(row) for row in table], pieces, up=sweep % 2 == 0)
        if crossings(table, pieces) < crossings(best, pieces):
            best = table
    return _exchanged(best, pieces), pieces


def _neighbours(pieces: Iterable[tuple[Node, Node]]) -> dict[Node, list[Node]]:
    found: dict[Node, list[Node]] = {}
    for upper, lower in pieces:
        found.setdefault(upper, []).append(lower)
        found.setdefault(lower, []).append(upper)
    return found


def _swept(table: list[list[Node]], pieces: Iterable[tuple[Node, Node]], *, up: bool) -> list[list[Node]]:
    """Order each row by the mean place of what its nodes are tied to in the row before."""
    tied = _neighbours(pieces)
    steps = range(1, len(table)) if up else range(len(table) - 2, -1, -1)
    for step in steps:
        other = table[step - 1 if up else step + 1]
        before = {node: place / len(other) for place, node in enumerate(other)}
        own = {node: place / len(table[step]) for place, node in enumerate(table[step])}
        means = {}
        for node in table[step]:
            places = [before[end] for end in tied.get(node, ()) if end in before]
            means[node] = _mean(places) if places else own[node]
        table[step].sort(key=means.__getitem__)
    return table


def _exchanged(table: list[list[Node]], pieces: list[tuple[Node, Node]]) -> list[list[Node]]:
    """Exchange two nodes of a row as long as it takes crossings away."""
    fewest = crossings(table, pieces)
    better = True
    while better:
        better = False
        for row in table:
            for first in range(len(row)):
                for second in range(first + 1, len(row)):
                    row[first], row[second] = row[second], row[first]
                    if (now := crossings(table, pieces)) < fewest:
                        fewest, better = now, True
                    else:
                        row[first], row[second] = row[second], row[first]
    return table


def crossings(table: list[list[Node]], pieces: Iterable[tuple[Node, Node]]) -> int:
    """Return how many pairs of arrows cross."""
    place = {node: (number, at) for number, row in enumerate(table) for at, node in enumerate(row)}
    spans = sorted((place[upper], place[lower]) for upper, lower in pieces)
    return sum(
        a[0] == b[0] and (a[1] - b[1]) * (c[1] - d[1]) < 0
        for number, (a, c) in enumerate(spans) for b, d in spans[number + 1 :]
    )  # fmt: skip


def columns(table: list[list[Node]], pieces: Iterable[tuple[Node, Node]]) -> dict[Node, float]:
    """Return the middle of each node: as near to what it is tied to as its neighbours in the row let it."""
    tied = _neighbours(pieces)
    middle = {node: 0.0 for row in table for node in row}
    for row in table:
        middle.update(_apart(row, dict.fromkeys(row, 0.0)))
    for _ in range(_SWEEPS):
        for row in [*table[1:], *reversed(table[:-1])]:
            wanted = {}
            for node in row:
                ends = [middle[end] for end in tied.get(node, ())]
                wanted[node] = _mean(ends) if ends else middle[node]
            middle.update(_apart(row, wanted))
    least = min(middle[node] - _width(node) / 2 for node in middle)
    return {node: round(at - least + _MARGIN, 1) for node, at in middle.items()}


def _apart(row: list[Node], wanted: Mapping[Node, float]) -> dict[Node, float]:
    """Return places in this order that are far enough apart, and as near to what is wanted as they can be.

    Nodes that would overlap become a group, which lies where its members want it in the mean.
    """
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + (_width(left) + _width(right)) / 2 + _GAP)
    groups: list[list[float]] = []
    for node, offset in zip(row, offsets, strict=True):
        groups.append([wanted[node] - offset])
        while len(groups) > 1 and _mean(groups[-2]) > _mean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    starts = [_mean(group) for group in groups for _ in group]
    return {node: start + offset for node, start, offset in zip(row, starts, offsets, strict=True)}


def _mean(numbers: list[float]) -> float:
    return fsum(numbers) / len(numbers)  # the same in every Python: `sum` isn't


def _width(node: Node) -> int:
    return _WIDTH if node.row < 0 else _LANE


def said(package: str) -> str:
    """Return what a package's docstring says first."""
    text = ast.get_docstring(ast.parse((PACKAGE / package / "__init__.py").read_text(encoding="utf-8"))) or ""
    for mark in ".:;,":
        text = text.partition(mark)[0]
    return text.strip()


_STYLE = """
  text { font: 12px ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", sans-serif; text-anchor: middle; fill: #57606a }
  .name { font-size: 15px; font-weight: 600; fill: #1f2328 }
  .note { text-anchor: start }
  .sheet { fill: #ffffff; stroke: #d0d7de }
  .box { fill: #f6f8fa; stroke: #8c959f }
  .seam { fill: #ddf4ff; stroke: #0969da; stroke-width: 1.6 }
  .arrow { fill: none; stroke: #8c959f; stroke-width: 1.4 }
  .head { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 } .name { fill: #f0f6fc } .sheet { fill: #0d1117; stroke: #3d444d }
    .box { fill: #151b23; stroke: #656c76 } .seam { fill: #0c2d4d; stroke: #4493f8 }
    .arrow { stroke: #7d8590 } .head { fill: #7d8590 }
  }
"""

_HEAD = """<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto" markerUnits="userSpaceOnUse">
<path class="head" d="M0 0.5 8 4 0 7.5z"/></marker>"""


def picture() -> str:
    """Return the picture, an SVG that looks the same wherever it is made."""
    imports = graph()
    table, pieces = arranged(imports, rows(imports))
    middle = columns(table, pieces)
    width = max(middle[node] + _width(node) / 2 for node in middle) + _MARGIN
    top = {node: _MARGIN + (len(table) - 1 - number) * _ROW for number, row in enumerate(table) for node in row}
    foot = _MARGIN + len(table) * _ROW - (_ROW - _HEIGHT) + 34
    notes = _notes(int(width))
    height = foot + 18 * len(notes) + 4
    ways = [_way(Node(name), lower, pieces) for name in imports for lower in sorted(imports[name])]
    arrows = [_arrow(way, _bends(way, ways, middle), top) for way in ways]
    boxes = [_box(node.name, middle[node], top[node]) for row in table for node in row if node.row < 0]
    lines = [
        f'<text class="note" x="{_MARGIN}" y="{foot + 18 * number}">{escape(line)}</text>'
        for number, line in enumerate(notes)
    ]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" width="{width:g}" height="{height}" role="img">',
        "<title>The packages of bulkdcm, each above those that it imports</title>",
        f"<style>{_STYLE}</style>",
        _HEAD,
        f'<rect class="sheet" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1}" rx="10"/>',
        *arrows, *boxes, *lines, "</svg>", "",
    ])  # fmt: skip


def _notes(width: int) -> list[str]:
    packages = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    single = ", ".join(name for names in LAYERS for name in names if name not in packages and name != "__main__")
    text = f"Modules of their own, from the bottom up: {single}."
    head = "An arrow is an import; one that follows from others is left out. Blue: the four seams, asked for facts and never for a name."
    return [line for note in (head, text) for line in textwrap.wrap(note, width // 7)]


def _way(node: Node, lower: str, pieces: list[tuple[Node, Node]]) -> list[Node]:
    """Return the nodes by which an arrow goes."""
    lanes = sorted((low for _, low in pieces if low[:2] == (node.name, lower)), key=lambda lane: -lane.row)
    return [node, *lanes, Node(lower)]


def _bends(way: list[Node], ways: list[list[Node]], middle: Mapping[Node, float]) -> list[float]:
    """Return where an arrow is at each node of its way: side by side with the others at the boxes at its ends."""
    leaving = sorted((middle[other[1]], other[-1]) for other in ways if other[0] == way[0])
    coming = sorted((middle[other[-2]], other[0]) for other in ways if other[-1] == way[-1])
    first = _port(leaving.index((middle[way[1]], way[-1])), len(leaving))
    last = _port(coming.index((middle[way[-2]], way[0])), len(coming))
    return [middle[way[0]] + first, *(middle[lane] for lane in way[1:-1]), middle[way[-1]] + last]


def _port(number: int, count: int) -> float:
    return (number - (count - 1) / 2) * min(26, _WIDTH * 0.7 / count)


def _arrow(way: list[Node], bends: list[float], top: Mapping[Node, float]) -> str:
    path = [f"M{bends[0]:g} {top[way[0]] + _HEIGHT}"]
    for (upper, left), (lower, right) in pairwise(zip(way, bends, strict=True)):
        start, end = top[upper] + _HEIGHT, top[lower]
        half = (start + end) / 2
        path.append(f"C{left:g} {half:g} {right:g} {half:g} {right:g} {end}")
        if lower.row >= 0:
            path.append(f"V{end + _HEIGHT}")
    return f'<path class="arrow" marker-end="url(#head)" d="{"".join(path)}"/>'


def _box(package: str, middle: float, top: float) -> str:
    lines = textwrap.wrap(said(package), _LINE)
    first = top + (_HEIGHT - 15 * len(lines)) / 2 + 4
    words = [
        f'<text x="{middle:g}" y="{first + 17 + 15 * number:g}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]
    kind = "seam" if package in SEAMS else "box"
    return (
        f'<rect class="{kind}" x="{middle - _WIDTH / 2:g}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}" rx="7"/>'
        f'<text class="name" x="{middle:g}" y="{first:g}">{package}</text>{"".join(words)}'
    )


if __name__ == "__main__":
    FILE.write_text(picture(), encoding="utf-8")
