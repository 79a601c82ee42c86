"""That a file is what its row of the manifest and its sources make of it, decided by other code than made it."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom import config, dcmread

from bulkdcm import dicom_file, uids, validation
from bulkdcm.errors import VerificationError
from bulkdcm.model import IMAGE
from bulkdcm.objects import restamp
from bulkdcm.proof import cells, pixels, remade, restamped
from bulkdcm.proof.cells import Opened
from bulkdcm.proof.kinds import KINDS, META, STANDARD, UID, UNREADABLE, VALUE, Found

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import FileDataset

    from bulkdcm.model import InstanceUIDs, ManifestRow
    from bulkdcm.setting_parts import PixelSettings

__all__ = ["KINDS", "Case", "Found", "Opened", "opened", "proved", "refuse"]

_SENSES = {"MONOCHROME1": "MONOCHROME1", "MONOCHROME2": "MONOCHROME2"}
_INSTANCE = (
    ("StudyInstanceUID", "study_instance_uid"),
    ("SeriesInstanceUID", "series_instance_uid"),
    ("SOPInstanceUID", "sop_instance_uid"),
)
# Cells that are compared by other rules than the rest.
_ELSEWHERE = frozenset(keyword for keyword, _ in _INSTANCE) | {"PhotometricInterpretation"}
_SAME = (("MediaStorageSOPClassUID", "SOPClassUID"), ("MediaStorageSOPInstanceUID", "SOPInstanceUID"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a file is to be compared with.

    Attributes
    ----------
    row
        Of the manifest.
    sources
        The bytes of each source, in the order of the frames; none if they aren't to be looked at.
    digests
        The SHA-256 of each.
    settings
        That it was converted with.
    uid_key
        Secret that UIDs are derived with, or empty.
    again
        Whether it is made once more by the converter and compared.
    by
        Counts what decided, for the summary.
    """

    row: ManifestRow
    sources: Sequence[bytes]
    digests: Sequence[str]
    settings: PixelSettings
    uid_key: bytes = field(default=b"", repr=False)
    again: bool = False
    by: Counter[str] = field(default_factory=Counter)


def opened(data: bytes, max_pixels: int) -> Opened | Found:
    """Return the data set of a file, or why it can't be read."""
    try:
        with config.disable_value_validation():
            return Opened.of(dicom_file.read(data, max_pixels))
    except Exception as error:  # noqa: BLE001  # whatever a broken file does to its reader, it is the file's
        return Found(UNREADABLE, "file", f"{type(error).__name__}: {error}")


def proved(data: bytes, file: Opened, case: Case) -> Iterator[Found]:
    """Yield what is wrong with a file.

    Parameters
    ----------
    data
        The whole of it.
    file
        The same, as `opened` gives it.
    case
        What it should be.
    """
    with config.disable_value_validation():
        told = set()
        for found in _proved(file, case):
            told.add(found.where.partition(",")[0])
            yield found
        if case.again and case.sources:
            yield from _again(data, case, told)


def refuse(data: bytes, case: Case) -> None:
    """Refuse a file that isn't what its row and its sources make of it, or breaks the Standard by itself.

    Raises
    ------
    VerificationError
        With what was found first.
    """
    file = opened(data, case.settings.max_pixels)
    found = file if isinstance(file, Found) else None
    if isinstance(file, Opened):
        # What a re-stamped file broke before is not the conversion's fault.
        checks = case.row.kind == IMAGE
        wrong = validation.checked(data, case.settings.max_pixels, file.dataset) if checks else []
        found = next(proved(data, file, case), Found(STANDARD, *wrong[0]) if wrong else None)
    if found:
        msg = (
            f"{case.row.source}: verification failed, so nothing was stored: {found.where}: {found.what}. "
            f"{KINDS[found.kind].meaning.capitalize()}. Please report it with the image, or leave --verify out."
        )
        raise VerificationError(msg)


def _proved(file: Opened, case: Case) -> Iterator[Found]:
    dataset = file.dataset
    attributes = case.row.attributes
    apart = _ELSEWHERE | ({"LossyImageCompression"} if case.settings.quality else set())  # which is 01 whatever it was
    yield from cells.differing({name: cell for name, cell in attributes.items() if name not in apart}, file)
    yield from meta(dataset)
    yield from _uids(dataset, case)
    sense = _SENSES.get(attributes.get("PhotometricInterpretation", ""))
    if case.row.sop_class_uid and dataset.get("SOPClassUID") != case.row.sop_class_uid:
        yield Found(VALUE, "SOPClassUID", f"{dataset.get('SOPClassUID')}, not the class that the row asks for")
    if sense and dataset.get("PhotometricInterpretation") != sense:
        yield Found(VALUE, "PhotometricInterpretation", f"not {sense}, as the row says")
    if not case.sources:
        return
    if case.row.kind != IMAGE:
        yield from restamped.differing(case.row, case.sources[0], dataset, case.by)
        return
    try:
        yield from pixels.Comparison(case.row, case.sources, case.settings, case.by).found(dataset)
    except Exception as error:  # noqa: BLE001  # as above
        yield Found(UNREADABLE, "PixelData", f"{type(error).__name__}: {error}")


def meta(dataset: FileDataset) -> Iterator[Found]:
    """Yield where the meta information speaks of another object than follows."""
    for of_meta, own in _SAME:
        if str(dataset.file_meta.get(of_meta) or "") != str(dataset.get(own) or ""):
            yield Found(META, of_meta, f"{dataset.file_meta.get(of_meta)} is not the data set's {own} (PS3.10 7.1)")


def _uids(dataset: FileDataset, case: Case) -> Iterator[Found]:
    expected = derived(case)
    for keyword, name in _INSTANCE:
        if expected and str(dataset.get(keyword) or "") != getattr(expected, name):
            yield Found(
                UID, keyword, f"{dataset.get(keyword)} in the file, {getattr(expected, name)} follows from the row"
            )


def derived(case: Case) -> InstanceUIDs | None:
    """Return the UIDs that follow from a row; None of a DICOM file that isn't looked at, which has a part in them."""
    digest = case.digests[0]
    if len(case.digests) > 1:
        digest = hashlib.sha256("".join(case.digests).encode("ascii")).hexdigest()
    if case.row.kind == IMAGE:
        return uids.assign(case.row, digest, case.settings.pixel_options, case.uid_key)
    if not case.sources:
        return None
    source = dcmread(io.BytesIO(case.sources[0]), stop_before_pixels=True)
    return restamp.assign(case.row, source, digest, case.uid_key)


def _again(data: bytes, case: Case, told: set[str]) -> Iterator[Found]:
    """Yield what the converter would write otherwise, but for what was told by other code."""
    sources = list(zip(case.sources, case.digests, strict=True))
    fresh = remade.made(case.row, sources, case.settings, case.uid_key)
    if isinstance(fresh, Found):
        yield fresh
    elif fresh == data:
        case.by["the converter's own bytes, made again"] += 1
    else:
        meta_told = not told.isdisjoint({*dict(_SAME), *dict(_SAME).values()})
        for found in remade.differing(data, fresh):
            if found.where not in told and not (found.kind == META and meta_told):
                yield found
