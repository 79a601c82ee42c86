"""One column as a mapping's rule makes it, with a problem for each kind of cell that nothing certain can be made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.manifest import conversions
from bulkdcm.manifest.readings import Doubt, alike
from bulkdcm.manifest.table import Column
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.manifest.rule import Rule
    from bulkdcm.manifest.table import Manifest


def mapped_column(  # noqa: PLR0913, PLR0917  # what a rule makes of a column needs all of it
    table: Manifest, name: str, rule: Rule, column: Column, problems: list[Problem], latest: Sequence[int] = ()
) -> Column:
    """Return a column as its rule makes it, noting what it can't make anything certain of: a problem for each kind."""
    present = np.unique(column.codes)
    found = conversions.converted(
        [column.values[code] for code in present], rule, [latest[code] for code in present] if len(latest) else ()
    )
    texts = [""] * len(column.values)
    doubts: dict[str | int, list[int]] = {}
    for code, text in zip(present.tolist(), found, strict=True):
        if isinstance(text, Doubt):
            doubts.setdefault(text.kind or code, []).append(code)
        else:
            texts[code] = text
    if doubts and not rule.question:  # the question stands for them
        of_code = dict(zip(present.tolist(), found, strict=True))
        order = np.argsort(column.codes, kind="stable")
        bounds = np.searchsorted(column.codes[order], np.arange(len(column.values) + 1))
        for codes in doubts.values():
            rows = np.sort(np.concatenate([order[bounds[code] : bounds[code + 1]] for code in codes]))
            doubt = of_code[codes[0]]
            assert isinstance(doubt, Doubt)  # noqa: S101  # only such are in `doubts`
            key = f"columns.{name}"
            problems.append(
                Problem(
                    lines=table.lines_of(rows),
                    column=rule.column or name,
                    value=column.values[codes[0]],
                    rule=f"mapping key {key}: {doubt.rule}{alike(len(codes) - 1)}",
                    remedy=doubt.remedy.replace("{key}", key),
                )
            )
    return Column(column.codes, texts).mapped(str)


def earliest(column: Column, studies: Column) -> Sequence[int]:
    """Return, for each value of a column, the earliest study of its rows as a number YYYYMMDD; 0 where none is known."""
    none = 99_999_999
    dates = np.array([int(cell) if cell.isdecimal() and len(cell) == 8 else none for cell in studies.values])
    found = np.full(len(column.values), none)
    np.minimum.at(found, column.codes, dates[studies.codes])
    return np.where(found == none, 0, found).tolist()  # type: ignore[no-any-return]  # numpy's lists have no type
