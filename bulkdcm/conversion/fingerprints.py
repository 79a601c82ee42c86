"""By what a row is known again, and by what it is known to be the same: 64 bits each."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.attributes import conditions, dictionary
from bulkdcm.model import IMAGE
from bulkdcm.objects import MAKERS
from bulkdcm.uids import normal_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

    from bulkdcm.manifest import Manifest

    Hashes = npt.NDArray[np.uint64]
    Numbers = npt.NDArray[np.int64]

_IDENTITY = ("source", "instance")


def identities(manifest: Manifest) -> Numbers:
    """Return what names each row: its source and instance and, where several share both, which of them it is."""
    return _numbered(_hashes(manifest, _IDENTITY, normal_form))


def places(manifest: Manifest, own: Numbers) -> dict[int, int]:
    """Return the ordinal of each identity; a row is known by the form its names had in an older release, too."""
    found = {identity: ordinal for ordinal, identity in enumerate(own.tolist())}
    as_written = _numbered(_hashes(manifest, _IDENTITY))
    for ordinal in np.flatnonzero(as_written != own).tolist():
        found.setdefault(int(as_written[ordinal]), ordinal)
    return found


def metadata(manifest: Manifest) -> Numbers:
    """Return what each row says of its object: all cells but those of names and places."""
    names = [name for name in manifest.columns if name not in dictionary.RESERVED]
    hashes = _hashes(manifest, [*names, "sop_class", "study", "series", "sha256"])
    for members in manifest.frames.values():  # and which frames there are, in which order
        sources = manifest.column("source")
        hashes[list(members)] += np.uint64(_bits("\n".join(sources[ordinal] for ordinal in members)))
    return hashes.view(np.int64)


def schemas(manifest: Manifest) -> Numbers:
    """Return the schema of each row's output: a change of bytes runs those rows again that it concerns."""
    calling = np.zeros(len(manifest), dtype=bool)
    for name in conditions.calling() & manifest.columns.keys():
        calling |= manifest.column(name).where(bool)
    column = manifest.column("sop_class")
    makers = [MAKERS[asked if asked in manifest.kinds else IMAGE] for asked in column.values]
    plain, called_up = (
        np.array([getattr(maker, name) for maker in makers], dtype=np.int64)[column.codes]
        for name in ("output_schema", "called_up_schema")
    )
    return np.where(calling, called_up, plain)


def _hashes(manifest: Manifest, names: Iterable[str], form: Callable[[str], str] = str) -> Hashes:
    """Return 64 bits for each row that depend on the named cells that are not empty, whatever the columns' order."""
    total = np.zeros(len(manifest), dtype=np.uint64)
    for name in names:
        column = manifest.column(name)
        bits = [_bits(f"{len(name)}:{name}={form(value)}") if value else 0 for value in column.values]
        total += np.array(bits, dtype=np.uint64)[column.codes]  # wraps, which is what sums of hashes do
    return total


def _bits(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _numbered(hashes: Hashes) -> Numbers:
    """Return hashes with the second, third … of equal ones made different, in the manifest's order."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.zeros(0, dtype=bool)
    begins = np.maximum.accumulate(np.where(starts, np.arange(len(ordered)), 0)) if len(ordered) else starts
    result = hashes.copy()
    result[order] += (np.arange(len(ordered)) - begins).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return result.view(np.int64)
