"""What the SOP class of each row asks of its other cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.attributes import body_parts, dictionary, placement
from bulkdcm.attributes.terms import DARK_IS_LOW, LIGHT_IS_LOW
from bulkdcm.manifest import class_names
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bulkdcm.manifest.table import Manifest
    from bulkdcm.model import IOD, Offer

_GUESSES = 10
_SENSE = "PhotometricInterpretation"
_SIDES = ("Laterality", "ImageLaterality")


def check(manifest: Manifest, offer: Offer, *, inverts: bool = False) -> Iterator[Problem]:
    """Yield the problems between a row's SOP class and its attributes."""
    classes = manifest.column("sop_class")
    unknown = 0
    for code, uid in enumerate(classes.values):
        ordinals = classes.ordinals([code])
        if not len(ordinals) or uid in offer.kinds:
            continue
        iod = offer.classes.get(uid)
        if iod is None:
            guess = unknown < _GUESSES
            unknown += 1
            yield _refused(manifest, uid, ordinals, offer.refused) or _unknown_class(
                manifest, uid, ordinals, offer.classes if guess else {}
            )
            continue
        yield from _check_modality(manifest, iod, ordinals)
        yield from _check_required(manifest, iod, ordinals)
        yield from _check_placement(manifest, iod, ordinals)
        yield from _check_sense(manifest, iod, ordinals, inverts=inverts)
    yield from _check_laterality(manifest)


def _refused(manifest: Manifest, uid: str, ordinals: np.ndarray, refused: Mapping[str, str]) -> Problem | None:
    if uid not in refused:
        return None
    return Problem(
        lines=manifest.lines_of(ordinals),
        column="sop_class",
        value=uid,
        rule=f"never written: {refused[uid]}",
        remedy="Use the class for presentation, or SecondaryCaptureImageStorage with the same Modality",
    )


def _unknown_class(manifest: Manifest, uid: str, ordinals: np.ndarray, iods: Mapping[str, IOD]) -> Problem:
    rule, remedy = "not a SOP class that bulkdcm writes", "Use one that `bulkdcm classes` lists"
    if iods:
        rule, remedy = class_names.advice(uid, iods)
    return Problem(lines=manifest.lines_of(ordinals), column="sop_class", value=uid, rule=rule, remedy=remedy)


def _check_modality(manifest: Manifest, iod: IOD, ordinals: np.ndarray) -> Iterator[Problem]:
    if not iod.modalities:
        return
    modality = manifest.column("Modality")
    codes = modality.codes[ordinals]
    for code in np.unique(codes):
        value = modality.values[code]
        if value not in iod.modalities:
            one_of = " or ".join(iod.modalities)
            yield Problem(
                lines=manifest.lines_of(ordinals[codes == code]),
                column="Modality",
                value=value,
                rule=f"contradicts {iod.keyword}, whose Modality is {one_of} (PS3.3 {iod.section})",
                remedy=f"Write {iod.modalities[0]}, or use the sop_class that fits: SecondaryCaptureImageStorage takes any",
            )


def _check_required(manifest: Manifest, iod: IOD, ordinals: np.ndarray) -> Iterator[Problem]:
    for keyword, reason in iod.required:
        empty = manifest.column(keyword).where(lambda cell: not cell)[ordinals]
        if empty.any():
            yield Problem(
                lines=manifest.lines_of(ordinals[empty]),
                column=keyword,
                rule=f"{iod.keyword} must have it and no honest default exists: {reason}",
                remedy="Add it, or use sop_class SecondaryCaptureImageStorage with the same Modality",
            )


def _check_placement(manifest: Manifest, iod: IOD, ordinals: np.ndarray) -> Iterator[Problem]:
    moved = {keyword for keyword, _ in iod.required}  # into a sequence of the class, as SpecimenUID
    for name, column in manifest.columns.items():
        if (
            name in moved
            or dictionary.find(name) is None
            or name in dictionary.OWNED
            or placement.has_place(name, iod.alias)
        ):
            continue
        used = column.where(bool)[ordinals]
        if used.any():
            yield Problem(
                lines=manifest.lines_of(ordinals[used]),
                column=name,
                rule=f"{iod.keyword} has no place for it; it is written, as a Standard Extended SOP Class (PS3.4 B.4.2)",
                remedy=f"Leave it out with --ignore-column {name} if validators must stay silent",
                severity="warning",
            )


def _check_sense(manifest: Manifest, iod: IOD, ordinals: np.ndarray, *, inverts: bool) -> Iterator[Problem]:
    """Check what rows say of their gray pixels' sense: everything else of Photometric Interpretation follows from the image."""
    stated = manifest.column(_SENSE)
    codes = stated.codes[ordinals]
    for code in np.unique(codes):
        value = stated.values[code]
        if not value or value == DARK_IS_LOW or (value == LIGHT_IS_LOW and (iod.monochrome1 or inverts)):
            continue
        rule = f"not {LIGHT_IS_LOW} or {DARK_IS_LOW}, which are all that a row can say of it (PS3.3 C.7.6.3.1.2)"
        remedy = f"Write {LIGHT_IS_LOW} if low values are light, or leave the cell empty"
        if value == LIGHT_IS_LOW:
            rule = f"{iod.keyword} takes {DARK_IS_LOW} only (PS3.3 {iod.section})"
            remedy = "Give --invert, which inverts the pixels, or use a sop_class that takes it, such as SecondaryCaptureImageStorage"
        yield Problem(
            lines=manifest.lines_of(ordinals[codes == code]), column=_SENSE, value=value, rule=rule, remedy=remedy
        )
    shape = manifest.column("PresentationLUTShape").where(lambda cell: cell == "IDENTITY")
    contrary = shape[ordinals] & stated.where(lambda cell: cell == LIGHT_IS_LOW)[ordinals]
    if contrary.any():
        yield Problem(
            lines=manifest.lines_of(ordinals[contrary]),
            column="PresentationLUTShape",
            value="IDENTITY",
            rule=f"contradicts {_SENSE} {LIGHT_IS_LOW}, with which it is INVERSE (PS3.3 C.8.11.3)",
            remedy="Leave the cell empty; it follows by itself",
        )
    silent = stated.where(lambda cell: not cell)[ordinals]
    if inverts and silent.any() and not silent.all():
        yield Problem(
            lines=manifest.lines_of(ordinals[silent]),
            column=_SENSE,
            rule="empty, although other rows say whether low values are light, and --invert is for all rows",
            remedy=f"Write {LIGHT_IS_LOW} if pixels are to be inverted, {DARK_IS_LOW} if not",
        )


def _check_laterality(manifest: Manifest) -> Iterator[Problem]:
    sides = [manifest.column(name).where(bool) for name in _SIDES]
    parts = manifest.column("BodyPartExamined")
    table = body_parts.table()
    unpaired = parts.where(lambda cell: cell in table and table[cell].laterality_refused and not table[cell].paired)
    for name, has_side in zip(_SIDES, sides, strict=True):
        of_series = name == _SIDES[0]
        # U says just that (PS3.3 C.7.6.1).
        wrong = np.flatnonzero(
            unpaired & has_side & (of_series | ~manifest.column(name).where(lambda cell: cell == "U"))
        )
        if len(wrong):
            part = parts[int(wrong[0])]
            yield Problem(
                lines=manifest.lines_of(wrong),
                column=name,
                value=manifest.column(name)[int(wrong[0])],
                rule=f"{part} is no paired body part, so it has no side (PS3.3 {'C.7.3.1' if of_series else 'C.7.6.1'})",
                remedy="Leave the cell empty"
                if of_series
                else "Leave the cell empty, or write U if the class takes it",
                severity="error" if of_series else "warning",
            )
