"""Body parts and whether laterality applies to them (PS3.16 annex L; the table is ``body_parts.csv`` beside this file)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyPart:
    """One Defined Term of Body Part Examined.

    Attributes
    ----------
    term, scheme, code, meaning
        The term and its code.
    paired
        Whether the Standard calls it paired.
    laterality_refused
        Whether validators refuse Laterality and Image Laterality beside it, even zero-length ones.
    """

    term: str
    scheme: str
    code: str
    meaning: str
    paired: bool
    laterality_refused: bool


@lru_cache(maxsize=1)
def table() -> dict[str, BodyPart]:
    """Return every body part by its term."""
    text = files("bulkdcm.attributes").joinpath("body_parts.csv").read_text(encoding="utf-8")
    return {
        row["term"]: BodyPart(
            **{name: row[name] for name in ("term", "scheme", "code", "meaning")},
            paired=row["paired"] == "yes",
            laterality_refused=row["laterality_refused"] == "yes",
        )
        for row in csv.DictReader(text.splitlines())
    }
