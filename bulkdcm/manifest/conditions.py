"""What attributes of a row need, exclude or call up in its SOP class: asked once a distinct cell, said once a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.attributes import conditions, dictionary, values
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from bulkdcm.attributes.conditions import Ask, Values
    from bulkdcm.manifest.table import Manifest
    from bulkdcm.model import IOD, Offer

_GIVEN = ("?",)


def check(manifest: Manifest, offer: Offer) -> Iterator[Problem]:
    """Yield the problems between the attributes of a row, one a condition with all of its lines."""
    classes = manifest.column("sop_class")
    for code, uid in enumerate(classes.values):
        iod = offer.classes.get(uid)
        if iod is None or not conditions.keywords(uid) & manifest.columns.keys():
            continue
        ordinals = classes.ordinals([code])
        if len(ordinals):
            yield from _check_class(manifest, iod, ordinals)


def _check_class(manifest: Manifest, iod: IOD, ordinals: npt.NDArray[np.intp]) -> Iterator[Problem]:
    for breach, mask in conditions.breaches(_asker(manifest, iod, ordinals), iod.sop_class_uid):
        if not mask.any():
            continue
        wrong = ordinals[np.broadcast_to(mask, ordinals.shape)]
        yield Problem(
            lines=manifest.lines_of(wrong),
            column=breach.keyword,
            value=manifest.column(breach.keyword)[int(wrong[0])],
            rule=breach.rule,
            remedy=breach.remedy,
        )


def _asker(manifest: Manifest, iod: IOD, ordinals: npt.NDArray[np.intp]) -> Ask:
    """Return how the rows of a class answer, what the class fills by itself being there."""
    filled = provided(iod)
    answered: dict[tuple[str, object], npt.NDArray[Any]] = {}

    def ask(keyword: str, question: Callable[[Values], Any]) -> npt.NDArray[Any]:
        column, default = manifest.columns.get(keyword), filled.get(keyword)
        if column is None:
            return np.asarray(question(default))
        if (keyword, question) not in answered:
            entry = dictionary.find(keyword)
            answers = [question(values.split(entry, cell) if cell and entry else default) for cell in column.values]
            answered[keyword, question] = np.asarray(answers)[column.codes[ordinals]]
        return answered[keyword, question]

    return ask


def provided(iod: IOD) -> dict[str, tuple[str, ...]]:
    """Return the attributes that objects of a class have where the row says nothing, with their values."""
    found: dict[str, tuple[str, ...]] = {}
    for module in iod.modules:
        found |= dict.fromkeys(module.empty, ())
        found |= {keyword: tuple(text.split("\\")) for keyword, text in module.defaults}
    if iod.frame_of_reference:
        found[iod.frame_of_reference] = _GIVEN
    return found
