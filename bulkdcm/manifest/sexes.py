"""Words of datasets for a patient's sex, in the languages of their makers, to what DICOM writes (PS3.3 C.7.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.manifest.readings import Doubt, tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.manifest.rule import Rule

WORDS = {
    **dict.fromkeys(
        (
            *("m", "male", "man", "boy", "h", "hombre", "masculino", "varon", "varón", "homme", "masculin", "maschio"),
            *(
                "uomo",
                "männlich",
                "maennlich",
                "mann",
                "homem",
                "man",
                "mand",
                "муж",
                "мужской",
                "м",
                "男",
                "男性",
                "남",
            ),
            *("남성", "mężczyzna"),
        ),
        "M",
    ),
    **dict.fromkeys(
        (
            *("f", "female", "woman", "girl", "mujer", "femenino", "femme", "féminin", "feminin", "femmina", "donna"),
            *("w", "weiblich", "frau", "mulher", "feminino", "vrouw", "kvinde", "kvinna", "жен", "женский", "ж", "女"),
            *("女性", "여", "여성", "kobieta"),
        ),
        "F",
    ),
    **dict.fromkeys(("o", "other", "diverse", "divers", "d", "otro", "autre", "其他"), "O"),
    **dict.fromkeys(("unknown", "unbekannt", "desconocido", "inconnu", "sconosciuto", "未知", "不明"), ""),
}
_SPANISH = frozenset({"h", "hombre", "homme", "mujer", "varon", "varón", "homem", "mulher"})
"""Beside these, m is mujer, or can't be told."""
_GERMAN = frozenset({"w", "weiblich", "divers", "männlich", "maennlich"})
"""Beside these, d is divers; in other languages it may be dame, donna or dreng."""


def read_sexes(cells: Sequence[str], rule: Rule) -> list[str | Doubt]:
    """Return M, F, O or nothing for the word in each cell; or why it isn't certain.

    Parameters
    ----------
    cells
        The different cells of a column.
    rule
        Its `values` come before.
    """
    if rule.values:
        told = set(rule.values.values())
        return [cell if cell in told else _sex(cell, frozenset()) for cell in cells]
    words = frozenset(tidy(cell).lower().rstrip(".") for cell in cells)
    return [_sex(cell, words) for cell in cells]


def _sex(cell: str, words: frozenset[str]) -> str | Doubt:
    word = tidy(cell).lower().rstrip(".")
    if word == "m" and words & _SPANISH:
        if words & {"f", "femme", "féminin"}:  # homme beside femme
            return "M"
        return Doubt(
            "m", "may be male, or mujer", 'Say which with values = { M = "F", H = "M" } in {key}', several=True
        )
    if word == "d" and not words & _GERMAN:
        return Doubt("d", "may be divers, or dame", 'Say which with values = { D = "F" } in {key}', several=True)
    if word in WORDS:
        return WORDS[word]
    return Doubt(
        "sex",
        "not a word for a sex that is known",
        'Say what it means in {key}.values, such as { "1" = "M" }, or what others become with {key}.else',
    )
