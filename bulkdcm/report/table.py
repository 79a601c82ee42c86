"""Ledger and manifest to one DataFrame with a line for every manifest row."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from bulkdcm.report.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

_BLOCK = 20_000  # rows made into columns at once


def table_of(
    lines: Sequence[int],
    sources: Sequence[str],
    outputs: Sequence[str],
    recorded: Iterable[tuple[Any, ...]],
    names: Sequence[str],
) -> pd.DataFrame:
    """Return the report's table.

    Parameters
    ----------
    lines, sources, outputs
        Of every manifest row, in order; an output may be empty where only the UIDs tell it.
    recorded
        Outcomes as tuples in the order of `names`.
    names
        The ledger's columns; ``ordinal`` is the position among `lines`.
    """
    import pandas as pd

    kinds = {column.name: column.dtype for column in COLUMNS if column.name in names}
    array: Any = pd.array  # its overloads know no name of a type that varies
    once: dict[str, str] = {}  # equal texts of different rows are one object
    blocks = []
    records = iter(recorded)
    while block := list(islice(records, _BLOCK)):
        columns = dict(zip(names, zip(*block, strict=True), strict=True))
        ordinals = pd.Index(columns["ordinal"], dtype="int64")
        typed = {
            name: array([text and once.setdefault(text, text) for text in columns[name]], dtype="string")
            if kind == "string"
            else array(columns[name], dtype=kind)
            for name, kind in kinds.items()
        }
        blocks.append(pd.DataFrame(typed, index=ordinals))
    none = pd.DataFrame(
        {name: array([], dtype=kind) for name, kind in kinds.items()}, index=pd.Index([], dtype="int64")
    )
    known = pd.concat(blocks or [none])
    table = known if len(known) == len(lines) else known.reindex(range(len(lines)))
    table["line"], table["source"] = list(lines), array(sources, dtype="string")
    planned = pd.Series([output or None for output in outputs], index=table.index, dtype="string")
    table["output"] = table["output"].fillna(planned)
    table["status"] = table["status"].fillna("pending")
    table = table.reset_index(drop=True)[[column.name for column in COLUMNS]]
    return table.astype({"line": "Int64"})
