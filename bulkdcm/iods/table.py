"""The SOP classes as a table for people: what `bulkdcm classes` prints and the README shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.iods.registry import IODS

if TYPE_CHECKING:
    from bulkdcm.model import IOD

HEADS = ("name", "keyword", "pixels", "Modality", "columns it needs")


def lines() -> list[tuple[str, ...]]:
    """Return a line for each class, as `HEADS` has them."""
    return [(iod.alias, iod.keyword, _pixels(iod), _modality(iod), ", ".join(dict(iod.required))) for iod in IODS]


def markdown() -> str:
    """Return the table in Markdown."""
    rows = [
        (f"`{alias}`", f"`{keyword}`", pixels, modality, needs) for alias, keyword, pixels, modality, needs in lines()
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in (HEADS, ("---",) * len(HEADS), *rows))


def _pixels(iod: IOD) -> str:
    parts = []
    for prefix, word in (("gray", "gray"), ("rgb", "colour")):
        depths = [bits for bits in ("8", "16") if f"{prefix}{bits}" in iod.pixel_kinds]
        if depths:
            parts.append(f"{word} {' and '.join(depths)} bits")
    return ", ".join(parts) + (", frames" if iod.multi_frame else "")


def _modality(iod: IOD) -> str:
    if not iod.modalities:
        return "any, else OT"
    first, *others = iod.modalities
    return f"{first} (also {', '.join(others)})" if others else first
