"""A report's rows as one DataFrame."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from bulkdcm.report.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from bulkdcm.ledger.block import Block

_TOGETHER = 40  # blocks made into a frame at once


def table_of(blocks: Iterable[Block]) -> pd.DataFrame:
    """Return blocks as a DataFrame with the columns and types of `COLUMNS`."""
    import pandas as pd

    array: Any = pd.array  # its overloads know no name of a type that varies
    once: dict[str, str] = {}  # equal texts of different rows are one object
    left = iter(blocks)
    frames: list[pd.DataFrame] = []
    while (some := list(islice(left, _TOGETHER))) or not frames:
        columns = {}
        for column in COLUMNS:
            values = list(chain.from_iterable(block[column.name] for block in some))
            if column.dtype == "string":
                values = [text and once.setdefault(text, text) for text in values]
            columns[column.name] = array(values, dtype=column.dtype)
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)
