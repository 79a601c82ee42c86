"""What one column of a manifest is made from, as a mapping file says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bulkdcm.manifest.patterns import Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one column of the manifest is made from; the keys of a mapping's table."""

    column: str = ""
    templates: tuple[str, ...] = ()
    count: tuple[str, ...] | None = None
    start: int = 1
    digits: int = 0
    prefix: str = ""
    value: str = ""
    take: Pattern | None = None
    split: str = ""
    part: int = 0
    values: dict[str, str] | None = None
    codes: dict[str, str] | None = None
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
