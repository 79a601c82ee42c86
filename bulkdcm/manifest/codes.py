"""Words of datasets to coded values (PS3.3 8.8), by a table of the mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.manifest.readings import Doubt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.manifest.rule import Rule

_LONGEST = (16, 16, 64)  # Code Value (SH), Coding Scheme Designator (SH), Code Meaning (LO)


def written(parts: Sequence[str]) -> str:
    """Return a code as a manifest has it.

    Parameters
    ----------
    parts
        Its value, scheme and meaning; or the three in one text with a caret between.

    Raises
    ------
    ValueError
        If they are no code.
    """
    found = parts[0].split("^") if len(parts) == 1 else list(parts)
    if len(found) != len(_LONGEST) or not all(part.strip() for part in found):
        msg = "a code has a value, a scheme and a meaning, such as 14975008^SCT^Forearm"
        raise ValueError(msg)
    if any(sign in part for part in found for sign in "^\\"):
        msg = "a part of a code holds neither ^ nor a backslash"
        raise ValueError(msg)
    for part, longest in zip(found, _LONGEST, strict=True):
        if len(part) > longest:
            msg = f"{part[:longest]!r}… has more than {longest} characters"
            raise ValueError(msg)
    return "^".join(found)


def read_codes(cells: Sequence[str], rule: Rule) -> list[str | Doubt]:
    """Return the code of each cell, by the rule's `codes`."""
    codes = rule.codes or {}
    doubt = Doubt(
        "code",
        "not in its table of codes",
        'Add it to {key}.codes, such as { "left arm" = "368208006^SCT^Left upper arm" }, or say what others become with {key}.else',
    )
    return [codes.get(cell, doubt) for cell in cells]
