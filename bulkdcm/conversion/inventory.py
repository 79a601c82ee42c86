"""The files of a ledger beside the rows of a manifest, as numbers: a million of them take some ten megabytes."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm import manifest as manifests
from bulkdcm.conversion.fingerprints import Fingerprints
from bulkdcm.conversion.lot import Entry, Lot
from bulkdcm.ledger.schema import CONTENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    from bulkdcm.conversion.verified import Stamps
    from bulkdcm.ledger.ledger import Ledger
    from bulkdcm.manifest import Manifest

_PLACE = {name: place for place, name in enumerate(CONTENT)}
_BLOCK = 10_000
_NAMES = ("ordinal", "identity", "metadata", "schema_number")


def _numbers(ledger: Ledger, one_name: Callable[[str], str]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield what is needed of the ledger's rows, block by block: `_NAMES`, and a hash of the output's name."""
    rows = ledger.outcomes()
    while block := list(islice(rows, _BLOCK)):
        found = [
            (*(row[_PLACE[name]] for name in _NAMES), hash(one_name(row[_PLACE["output"]] or ""))) for row in block
        ]
        yield np.array(found, dtype=np.int64)


class Inventory:
    """What a ledger has, and which of it is in the manifest.

    Parameters
    ----------
    ledger
        Open; every row's checksum is compared on the way.
    rows
        The manifest, resolved; None if it isn't known.
    one_name
        Gives the names of one file one text.

    Attributes
    ----------
    outputs
        Hashes of the names of all files that it knows, in order.
    todo
        The first row of each file, as places in the arrays of the ledger's rows.
    without
        How many of the ledger's rows have no file.
    """

    def __init__(self, ledger: Ledger, rows: Manifest | None, one_name: Callable[[str], str]) -> None:
        self._ledger, self._rows, self._one_name = ledger, rows, one_name
        numbers = np.concatenate([np.empty((0, len(_NAMES) + 1), np.int64), *_numbers(ledger, one_name)])
        self._ordinals, self._identities, self._metadata, self._schemas, hashes = numbers.T
        has_file = hashes != hash("")
        self.without = int((~has_file).sum())
        names, first = np.unique(hashes, return_index=True)
        self.todo = np.sort(first[names != hash("")])
        known = [hash(one_name(str(file[0]))) for file in (*ledger.orphans(), *ledger.obsolete())]
        self.outputs = np.unique(np.concatenate([names, np.array(known, dtype=np.int64)]))
        self._in_manifest = np.full(len(numbers), -1, dtype=np.int64)
        self._known = None if rows is None else Fingerprints(rows)
        if self._known is not None:
            self._match(self._known)
        self._heads = {o: members[0] for members in (rows.frames.values() if rows else ()) for o in members}
        self._back = {int(o): place for place, o in enumerate(self._in_manifest) if o in self._heads}

    def _match(self, known: Fingerprints) -> None:
        own = known.identities
        if np.array_equal(own, self._identities):
            self._in_manifest = np.arange(len(own))
        else:
            places = known.places()
            self._in_manifest = np.array([places.get(i, -1) for i in self._identities.tolist()], dtype=np.int64)

    @property
    def unknown(self) -> int:
        """How many files belong to no row of the manifest."""
        return int((self._in_manifest[self.todo] < 0).sum())

    @property
    def pending(self) -> int:
        """How many rows of the manifest the ledger has nothing of."""
        return 0 if self._rows is None else len(self._rows) - int((self._in_manifest >= 0).sum())

    def knows(self, names: Sequence[str]) -> list[bool]:
        """Return which names are those of files that the ledger knows."""
        hashes = np.array([hash(self._one_name(name)) for name in names], dtype=np.int64)
        return list(map(bool, np.isin(hashes, self.outputs)))

    def sampled(self, count: int) -> None:
        """Keep only so many files, evenly chosen."""
        if 0 < count < len(self.todo):
            self.todo = self.todo[np.linspace(0, len(self.todo) - 1, count).round().astype(np.intp)]

    def output(self, number: int) -> str:
        """Return the name of a file."""
        ordinal = int(self._ordinals[number])
        return str(self._ledger.records([ordinal])[ordinal]["output"])

    def lot(self, numbers: Iterable[int], stamps: Stamps) -> Lot:
        """Return files as they travel to workers."""
        wanted = [(number, self._members(number)) for number in numbers]
        records = self._ledger.records([int(self._ordinals[place]) for _, members in wanted for place in members])
        noted = stamps.of([int(self._ordinals[number]) for number, _ in wanted])
        heads: list[int] = []
        entries = []
        for number, members in wanted:
            ordinal, in_manifest = int(self._ordinals[number]), int(self._in_manifest[number])
            of_members = tuple(records[int(self._ordinals[place])] for place in members)
            row, same = -1, (True, True)
            if in_manifest >= 0 and self._known is not None and self._is_whole(in_manifest, members):
                row = len(heads)
                heads.append(self._heads.get(in_manifest, in_manifest))
                same = (
                    bool(self._known.metadata[in_manifest] == self._metadata[number]),
                    bool(self._known.schemas[in_manifest] == self._schemas[number]),
                )
            entries.append(Entry(number, of_members, row, same, noted.get(ordinal, 0)))
        part = manifests.part(self._rows, heads) if self._rows is not None and heads else None
        return Lot(tuple(entries), part)

    def _members(self, number: int) -> list[int]:
        """Return the places of all rows that are a file's frames, in the order of the manifest; else its own."""
        head = self._heads.get(int(self._in_manifest[number]))
        if head is None or self._rows is None:
            return [number]
        found = [self._back[o] for o in self._rows.frames[head] if o in self._back]
        return found or [number]

    def _is_whole(self, in_manifest: int, members: Sequence[int]) -> bool:
        head = self._heads.get(in_manifest)
        return head is None or self._rows is None or len(members) == len(self._rows.frames[head])
