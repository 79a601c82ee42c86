"""By what a row is known again, and by what it is known to be the same: 64 bits each."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cached_property
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


class Fingerprints:
    """Of all rows of a manifest, each made when it is first asked for.

    Parameters
    ----------
    manifest
        Resolved.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        # The rows of images that were unpacked since, or packed, are the same ones.
        self._named = replace(manifest, columns={**manifest.columns, "source": manifest.places})

    @cached_property
    def identities(self) -> Numbers:
        """What names each row: its source and instance and, where several share both, which of them it is."""
        return _numbered(_hashes(self._named, _IDENTITY, normal_form))

    def places(self) -> dict[int, int]:
        """Return the ordinal of each identity; a row is known by the form its names had in an older release, too."""
        found = {identity: ordinal for ordinal, identity in enumerate(self.identities.tolist())}
        if all(self._named.column(name).text.isascii() for name in _IDENTITY):
            return found
        as_written = _numbered(_hashes(self._named, _IDENTITY, str))
        for ordinal in np.flatnonzero(as_written != self.identities).tolist():
            found.setdefault(int(as_written[ordinal]), ordinal)
        return found

    @cached_property
    def metadata(self) -> Numbers:
        """What each row says of its object: all cells but those of names and places."""
        manifest = self._manifest
        names = [name for name in manifest.columns if name not in dictionary.RESERVED]
        hashes = _hashes(manifest, [*names, "sop_class", "study", "series", "sha256"], str)
        for members in manifest.frames.values():  # and which frames there are, in which order
            sources = manifest.places
            (own,) = _bits(["\n".join(sources[ordinal] for ordinal in members)])
            hashes[list(members)] += own
        return hashes.view(np.int64)

    @cached_property
    def schemas(self) -> Numbers:
        """The schema of each row's output: a change of bytes runs those rows again that it concerns."""
        manifest = self._manifest
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


def _hashes(manifest: Manifest, names: Iterable[str], form: Callable[[str], str]) -> Hashes:
    """Return 64 bits for each row that depend on the named cells that are not empty, whatever the columns' order."""
    total = np.zeros(len(manifest), dtype=np.uint64)
    for name in names:
        column = manifest.column(name)
        values = column.values if form is str else map(form, column.values)
        bits = _bits([f"{len(name)}:{name}={value}" if value else "" for value in values])
        total += bits[column.codes]  # wraps, which is what sums of hashes do
    return total


def _bits(texts: Iterable[str]) -> Hashes:
    """Return 64 bits for each text; none set for an empty one."""
    digests = [
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() if text else bytes(8)
        for text in texts
    ]
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def _numbered(hashes: Hashes) -> Numbers:
    """Return hashes with the second, third … of equal ones made different, in the manifest's order."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.zeros(0, dtype=bool)
    begins = np.maximum.accumulate(np.where(starts, np.arange(len(ordered)), 0)) if len(ordered) else starts
    result = hashes.copy()
    result[order] += (np.arange(len(ordered)) - begins).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return result.view(np.int64)
