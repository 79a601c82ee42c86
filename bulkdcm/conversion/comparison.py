"""The rows of the ledger beside those of the manifest and the files: which are done, and why the others run again.

A row is done when its last outcome is a converted file, its fingerprint is the same, and the file is there as recorded.
The fingerprint: the row's cells, the source's size and modification time, the settings and the output schema.
"""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from itertools import compress, repeat
from operator import eq, itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.conversion import dependencies
from bulkdcm.conversion.plan import ALTERED, DONE, FAILED, METADATA, MISSING, SCHEMA, SETTINGS, SOURCE, UNCHANGED
from bulkdcm.ledger.schema import DECISIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.conversion.context import Context
    from bulkdcm.conversion.plan import Plan
    from bulkdcm.ledger.ledger import Ledger
    from bulkdcm.manifest import Manifest
    from bulkdcm.stores import Stat, Store

    Row = tuple[Any, ...]
    """Of the ledger, as `DECISIVE` says."""

# Stages whose failures come from the source, the row and the release alone, so that they would be the same again.
_CERTAIN = {("decode", "PixelError"), ("build", "AttributeValueError"), ("encode", "EncodeError")}
_BY_UIDS = re.compile(r"[0-9.]+/[0-9.]+/[0-9.]+\.dcm")  # if the layout takes the name from the UIDs
_place = {name: place for place, name in enumerate(DECISIVE)}
_ordinal, _identity, _output, _attempt = (
    itemgetter(_place[name]) for name in ("ordinal", "identity", "output", "attempt")
)
_of_row = itemgetter(
    *map(
        _place.__getitem__,
        ("status", "metadata", "schema_number", "settings", "source_size_bytes", "source_version", "output"),
    )
)
_of_output = itemgetter(_place["output_size_bytes"], _place["output_version"])
_NOTHING = (object(), object())  # equal to no size and no version


class Comparison:
    """The manifest's rows beside those of the ledger: many at once where nothing has changed, else one by one.

    Attributes
    ----------
    by_content
        Whether sources are compared by their SHA-256.
    was
        Ordinals that rows of objects which refer, or are referred to, had in the ledger, by those that they have now.
    """

    def __init__(self, manifest: Manifest, found: Plan, ledger: Ledger, context: Context) -> None:
        self._manifest, self._found, self._ledger, self._context = manifest, found, ledger, context
        self._source, self._planned = manifest.column("source"), manifest.column("output")
        self._linked = set(dependencies.ordered(found.depends))
        # Two rows with one identity would be told apart by nothing.
        identities = np.sort(found.known.identities)
        self._distinct = not (identities[1:] == identities[:-1]).any()
        self._known_again = 0
        self._aside = 0
        self.by_content = False
        self.was: dict[int, int] = {}

    @cached_property
    def _places(self) -> dict[int, int]:
        """The ordinals of rows that are still to be known again, by identity."""
        places = self._found.known.places()
        for identity in self._found.known.identities[: self._known_again].tolist():
            del places[identity]
        return places

    @cached_property
    def _failures(self) -> dict[int, tuple[str, ...]]:
        return self._ledger.failures()

    @cached_property
    def _digests(self) -> dict[int, str]:
        return self._ledger.source_digests()

    def take(self, rows: Sequence[Row]) -> None:
        """Compare rows of the ledger, which come in the order of their ordinals."""
        ordinals = self._in_place(rows)
        if ordinals is None:
            found = [(ordinal, row) for row in rows if (ordinal := self._moved(row)) is not None]
            ordinals, rows = [ordinal for ordinal, _ in found], [row for _, row in found]
        if self._linked:
            self.was.update(
                {now: _ordinal(row) for now, row in zip(ordinals, rows, strict=True) if now in self._linked}
            )
        self._compare(ordinals, rows)

    def _in_place(self, rows: Sequence[Row]) -> list[int] | None:
        """Return the ordinals of rows that are the next of the manifest, in its order; None where others are among them."""
        first = self._known_again
        ordinals = list(range(first, first + len(rows)))
        own = self._found.known.identities[first : first + len(rows)].tolist()
        if (
            not self._distinct
            or "_places" in vars(self)
            or ordinals != list(map(_ordinal, rows))
            or own != list(map(_identity, rows))
        ):
            return None
        self._known_again += len(rows)
        return ordinals

    def _moved(self, row: Row) -> int | None:
        """Return the ordinal that a row of the ledger has now, noting it if that is another; None if it is gone."""
        old, ordinal = _ordinal(row), self._places.pop(_identity(row), None)
        self._aside = min(self._aside, old)
        if ordinal is None:
            if output := _output(row):
                self._found.orphaned.add(output)
            if old >= 0:
                self._aside -= 1
                self._found.moves.append((old, self._aside))
        elif ordinal != old:
            self._found.moves.append((old, ordinal))
        return ordinal

    def _compare(self, ordinals: Sequence[int], rows: Sequence[Row]) -> None:
        """Note of rows what they have and why they run."""
        found, places = self._found, np.array(ordinals, dtype=np.intp)
        sources = [self._source.values[code] for code in self._source.codes[places].tolist()]
        stats = self._context.sources.stats(sources)
        planned = [self._planned.values[code] for code in self._planned.codes[places].tolist()]
        done = self._done(places, rows, planned, stats)
        if all(done) and "_places" not in vars(self):  # they are in place, one after the other
            span = slice(ordinals[0], ordinals[-1] + 1)
            found.reasons[span], found.attempts[span] = repeat(DONE, len(rows)), map(_attempt, rows)
            found.outputs[span] = planned if all(planned) else map(_output, rows)
            found.before += len(rows)
            return
        for place, (ordinal, row) in enumerate(zip(ordinals, rows, strict=True)):
            found.attempts[ordinal] = _attempt(row)
            if done[place]:
                found.before += 1
                found.outputs[ordinal] = planned[place] or _output(row)
                found.reasons[ordinal] = DONE
            else:
                old = dict(zip(DECISIVE, row, strict=True))
                self._compare_one(ordinal, old, stats[place])

    def _done(
        self, places: Any, rows: Sequence[Row], planned: Sequence[str], stats: Sequence[Stat | None]
    ) -> list[bool]:
        """Return which rows are done, as far as the ledger and what is known of the files decide it."""
        if self.by_content:
            return [False] * len(rows)
        known = self._found.known
        sizes, versions = zip(*(stat or _NOTHING for stat in stats), strict=True) if stats else ((), ())
        outputs = [name or self._by_uids(row) for name, row in zip(planned, rows, strict=True)]
        expected = zip(
            repeat("converted"),
            known.metadata[places].tolist(),
            known.schemas[places].tolist(),
            repeat(self._context.basis),
            sizes,
            versions,
            outputs,
        )
        done = list(map(eq, map(_of_row, rows), expected))
        same = list(compress(rows, done))
        there = self._context.outputs.stats(list(map(_output, same)))
        unaltered = map(eq, map(_of_output, same), there)
        return [one and next(unaltered) for one in done]

    @staticmethod
    def _by_uids(row: Row) -> object:
        """Return the output of a row if its name may come from the UIDs."""
        return name if (name := _output(row)) and _BY_UIDS.fullmatch(name) else _NOTHING

    def _compare_one(self, ordinal: int, old: dict[str, Any], now: Stat | None) -> None:
        """Note of one row what it has and why it runs."""
        found, context = self._found, self._context
        planned, output = self._planned[ordinal], old["output"] or ""
        found.outputs[ordinal] = output
        same_place = planned == output if planned else bool(_BY_UIDS.fullmatch(output))
        same_metadata = old["metadata"] == found.known.metadata[ordinal]
        same_schema = old["schema_number"] == found.known.schemas[ordinal]
        same_source = now == (old["source_size_bytes"], old["source_version"])
        if old["status"] != "converted":
            same = same_schema and old["settings"] == context.basis and same_metadata and same_source
            found.reasons[ordinal] = UNCHANGED if same and self._certain(old["ordinal"]) else FAILED
            return
        found.before += 1
        if now is None:
            found.missing.append(ordinal)
        elif self.by_content or not (same_source or context.sources.version_is_its_own(self._source[ordinal])):
            same_source = self._same_content(ordinal, old, now)
        if not same_schema and same_metadata:  # else the schema may differ with the row
            reason = SCHEMA
        elif old["settings"] != context.basis:
            reason = SETTINGS
        elif not (same_metadata and same_place):
            reason = METADATA
        elif not same_source:
            reason = SOURCE
        else:
            reason = _output_reason(old, context.outputs, output)
        found.reasons[ordinal] = reason

    def _same_content(self, ordinal: int, old: dict[str, Any], now: Stat) -> bool:
        """Return whether a source holds the bytes that it held, noting it if it doesn't, or has another version."""
        same = now.size_bytes == old["source_size_bytes"] and _digest(
            self._context.sources, self._source[ordinal]
        ) == self._digests.get(old["ordinal"])
        if not same:
            self._found.exchanged.append(ordinal)
        elif now.version != old["source_version"]:
            self._found.touched[ordinal] = now.version
        return same

    def _certain(self, ordinal: int) -> bool:
        """Whether a failed row would fail again the same way if its source and metadata are the same."""
        stage, error, release_then = self._failures.get(ordinal, ("", "", ""))
        return (stage, error) in _CERTAIN and release_then == self._context.release


def _digest(store: Store, name: str) -> str:
    try:
        with store.open(name) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # any file that is read
    except OSError:
        return ""


def _output_reason(old: dict[str, Any], outputs: Store, output: str) -> str:
    found = outputs.stat(output)
    if found is None:
        return MISSING
    if found.size_bytes != old["output_size_bytes"]:
        return ALTERED
    if found.version == old["output_version"]:
        return DONE
    return DONE if _digest(outputs, output) == old["output_sha256"] else ALTERED  # a copied folder has new times
