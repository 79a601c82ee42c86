"""The end of a run that reached it: staged files get their names, and old outputs that no row has go."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from bulkdcm import names
from bulkdcm.errors import LedgerError, OccupiedError, StorageError
from bulkdcm.stores import is_staged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.conversion.recording import Recording
    from bulkdcm.ledger.ledger import Ledger
    from bulkdcm.stores import Store


class Settlement:
    """What is to be decided with the whole ledger at hand.

    Parameters
    ----------
    recording
        With the rows whose files are staged.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._ledger, self._outputs = recording.ledger, recording.context.outputs
        self._settings = recording.context.settings
        self._one_name = recording.work.places.one_name
        self._orphaned = set(map(self._one_name, recording.work.plan.orphaned))
        self._left: dict[str, str] = {}
        self.notes: list[str] = []
        """What the user should know of files that went or stayed."""

    def settle(self) -> None:
        """Give staged files their names, unless a row's only output is in the way: the rows of those fail.

        All of them are complete and recorded before the first one replaces anything, so that two rows may swap names.
        """
        staged, rows = self._recording.staged, self._recording.work.rows
        if not staged:
            return
        one_name = self._one_name
        waiting = {one_name(outcome.stored.name): outcome for outcome in sorted(staged, key=lambda o: -o.ordinal)}
        reasons = {
            o.ordinal: "another row's file goes there" for o in staged if waiting[one_name(o.stored.name)] is not o
        }
        owners = self._owners()
        ours = set(map(one_name, (*self._recording.work.ours, *(file[0] for file in self._ledger.obsolete()))))
        blocked = True
        while blocked:
            complete = {facts.ordinal for outcome in waiting.values() for facts in outcome.sources}
            blocked = False
            for name, outcome in list(waiting.items()):
                owner = owners.get(name)
                if owner is None:
                    free = self._is_free(outcome.stored.name, ours)
                    reason = "" if free else "a file is there that this run may not replace"
                else:
                    line = rows.lines[owner]
                    reason = "" if owner in complete else f"the output of line {line} is there, which has no new one"
                if reason:
                    reasons[outcome.ordinal] = reason
                    del waiting[name]
                    blocked = True
        moves = [(outcome.stored.staged, outcome.stored.name) for outcome in waiting.values()]
        self._recording.commit(self._recording.columns(waiting.values()), moves)
        finish_moves(self._ledger, self._outputs)
        remedy = "Move it away, or give the row another name in the `output` column."
        self._recording.fail(
            self._recording.refused(
                outcome, OccupiedError.__name__, f"{outcome.stored.name}: {reasons[outcome.ordinal]}. {remedy}"
            )
            for outcome in staged
            if outcome.ordinal in reasons
        )
        staged.clear()

    def _is_free(self, output: str, ours: set[str]) -> bool:
        """Whether what no row of the manifest has may be replaced: nothing, an old output, or by ``--overwrite``."""
        work = self._recording.work
        name = self._one_name(output)
        if name in ours or work.places.is_empty(output):
            return True
        if name in self._orphaned:
            return self._settings.prune
        return self._settings.overwrite and work.places.may_replace(output)

    def tidy(self) -> None:
        """Remove the outputs of earlier attempts that no row has now and, where asked, those of rows that are gone."""
        self._remove(self._unowned(self._ledger.obsolete()))
        orphans = self._unowned(self._ledger.orphans())
        if orphans and self._settings.prune:
            count = self._remove(orphans)
            self.notes.append(f"outputs of rows that are no longer in the manifest removed: {count}")
        elif orphans:
            self.notes.append(
                f"outputs of rows that are no longer in the manifest: {len(orphans)}, as {orphans[0][0]}; --prune removes them"
            )
        if self._settings.prune:
            self._ledger.forget_orphans()
        self._ledger.forget_claims()

    def _owners(self) -> dict[str, int]:
        """Return the row that has each output, by what its names have in common to the store."""
        return {self._one_name(output): ordinal for output, ordinal in self._ledger.owners().items()}

    def _unowned(self, files: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
        """Leave out files that rows have by other names, as far as the store knows names apart."""
        if not files or not self._outputs.folds:
            return files
        owners = self._owners()
        return [file for file in files if self._one_name(file[0]) not in owners]

    def say_what_is_left(self) -> None:
        """Raise where old outputs could not be removed.

        Raises
        ------
        StorageError
            With one of them; the next run tries again.
        """
        if self._left:
            output, why = next(iter(self._left.items()))
            msg = (
                f"{len(self._left):,} old outputs could not be removed, such as {self._outputs.local_path}/{output}: {why}. All "
                "rows are recorded. Correct the permissions, then run the same command again."
            )
            raise StorageError(msg)

    def _remove(self, files: Sequence[tuple[Any, ...]]) -> int:
        """Remove old outputs; what can't be removed stays known, for the next run."""
        removal = self._outputs.remove(files)
        self._ledger.forget_files([*removal.gone, *removal.foreign])
        self._left |= removal.failed
        if removal.foreign:
            self.notes.append(
                f"files in the place of old outputs that hold something else, left alone: {len(removal.foreign)}, "
                f"such as {removal.foreign[0]}"
            )
        return len(removal.gone)


def finish_moves(ledger: Ledger, outputs: Store) -> None:
    """Give staged files that are recorded under their final names these names.

    Raises
    ------
    LedgerError
        If the ledger names what no run stages, which somebody may have written into it.
    """
    if moves := ledger.moves():
        for staged, output, unowned in moves:
            known = not unowned and is_staged(str(staged))
            if not known or posixpath.dirname(staged) != posixpath.dirname(output) or names.leads_out(output):
                msg = (
                    f"the ledger {ledger.path} is damaged: it wants {staged!r} moved to {output!r}, which no run does. "
                    "Nothing was moved. Run `bulkdcm rebuild` with the manifest and --out to make it anew."
                )
                raise LedgerError(msg)
        for staged, output, _ in moves:
            outputs.settle(staged, output)
        ledger.forget_moves()
