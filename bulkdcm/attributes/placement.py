"""Which SOP classes have a place for an attribute (the table, ``iod_attributes.csv``, is made by tests/tables)."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def _table() -> dict[str, frozenset[str]]:
    text = files("bulkdcm.attributes").joinpath("iod_attributes.csv").read_text(encoding="utf-8")
    return {row["keyword"]: frozenset(row["classes"].split()) for row in csv.DictReader(text.splitlines())}


def has_place(keyword: str, alias: str) -> bool:
    """Whether the IOD of the SOP class `alias` contains the attribute `keyword` (PS3.3 annex A)."""
    return alias in _table().get(keyword, ())
