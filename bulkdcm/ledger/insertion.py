"""Rows into SQLite: what all of them share stands in the statement, since each value that is handed over costs as much as writing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bulkdcm.ledger.block import Block
from bulkdcm.ledger.schema import STORED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WORTHWHILE = 32  # rows that share a statement of their own
_LONG, _LARGE = 1000, 2**63
_NAMES = ", ".join(f'"{name}"' for name in STORED)  # rows and columns are SQL words


def insertion(rows: Sequence[Sequence[Any]]) -> tuple[str, Iterable[Sequence[Any]]]:
    """Return the statement that writes rows, each replacing the row's last one, and what it wants for each of them.

    Parameters
    ----------
    rows
        At least one, as `schema.sealed` gives them.
    """
    if len(rows) < _WORTHWHILE:
        return _statement(["?"] * len(STORED)), rows
    block = Block.of(STORED, list(zip(*rows, strict=True)))
    literals = {name: text for name, value in block.same.items() if name != "ordinal" and (text := _literal(value))}
    wanted = [block[name] for name in STORED if name not in literals]
    return _statement([literals.get(name, "?") for name in STORED]), zip(*wanted, strict=True)


def _statement(values: Iterable[str]) -> str:
    return f"INSERT OR REPLACE INTO outcome ({_NAMES}) VALUES ({', '.join(values)})"  # noqa: S608  # ours, or quoted


def _literal(value: Any) -> str:
    """Return a value as SQL has it; empty for one that is better handed over."""
    if value is None:
        return "NULL"
    if isinstance(value, str) and len(value) <= _LONG and "\0" not in value:
        return "'" + value.replace("'", "''") + "'"
    return str(value) if type(value) is int and -_LARGE < value < _LARGE else ""
