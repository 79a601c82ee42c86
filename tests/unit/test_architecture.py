"""The picture of the architecture is that of the imports."""

from __future__ import annotations

import re

from tests.layers import MODULES, RANK, imported, layer
from tests.tables import make_architecture


def test_the_picture_is_what_the_imports_make():
    assert make_architecture.FILE.read_text(encoding="utf-8") == make_architecture.picture(), (
        "run `python -m tests.tables.make_architecture`"
    )


def test_arrows_lead_down_and_lose_no_import_between_packages():
    imports = make_architecture.graph()
    row = make_architecture.rows(imports)
    assert all(row[lower] < row[name] and RANK[lower] < RANK[name] for name in imports for lower in imports[name])

    def reached(name: str) -> set[str]:
        return imports[name].union(*(reached(lower) for lower in imports[name]))

    for path in MODULES:
        if layer(path) in imports:
            assert (imported(path) & imports.keys()) - {layer(path)} <= reached(layer(path))
    for lower in imports.values():
        assert not [other for other in lower if any(other in reached(between) for between in lower - {other})]


def test_the_picture_shows_each_package_once_and_each_arrow():
    imports = make_architecture.graph()
    text = make_architecture.picture()
    assert sorted(re.findall(r'class="name"[^>]*>(\w+)<', text)) == sorted(imports)
    assert text.count('<path class="arrow"') == sum(map(len, imports.values()))


def test_crossings_are_counted():
    node = make_architecture.Node
    top, bottom = [node("a"), node("b")], [node("c"), node("d")]
    straight = [(top[0], bottom[0]), (top[1], bottom[1])]
    crossed = [(top[0], bottom[1]), (top[1], bottom[0])]
    assert make_architecture.crossings([bottom, top], straight) == 0
    assert make_architecture.crossings([bottom, top], crossed) == 1
