"""What one column of a manifest is made from, as a mapping file says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one column of the manifest is made from; the keys of a mapping's table."""

    column: str = ""
    template: str = ""
    count: tuple[str, ...] | None = None
    value: str = ""
    take: re.Pattern[str] | None = None
    values: dict[str, str] | None = None
    convert: str = ""
    formats: tuple[str, ...] = ()
    first_year: int = 0
    unit: str = "Y"
    units: dict[str, str] = field(default_factory=dict)
    round: str = ""
    decimal: str = ""
    empty: str = ""
    otherwise: str | None = None
    question: str = ""
