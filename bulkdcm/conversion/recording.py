"""What workers report, into the ledger; files that can't have their names yet are kept for `settlement`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bulkdcm.conversion.outcome import Failed, columns_of
from bulkdcm.ledger.schema import STORED, sealed
from bulkdcm.model import Fingerprint
from bulkdcm.problem import unnamed
from bulkdcm.watch import RowFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bulkdcm.conversion.context import Context
    from bulkdcm.conversion.outcome import ChunkResult, Columns, Converted, Outcome
    from bulkdcm.conversion.work import Work
    from bulkdcm.ledger.ledger import Ledger

_ORDINAL, _STATUS, _OUTPUT = (STORED.index(name) for name in ("ordinal", "status", "output"))
_WHY = tuple(STORED.index(name) for name in ("stage", "error", "message"))


class Recording:
    """The ledger as a run writes it.

    Parameters
    ----------
    work
        What is to be done.
    ledger
        Open.
    context
        Of the run.

    Attributes
    ----------
    staged
        Converted rows whose files lie beside their places.
    ran
        For each row of the manifest 1 if it is recorded, else 0.
    failures
        Rows that failed since somebody took note of them.
    """

    def __init__(self, work: Work, ledger: Ledger, context: Context) -> None:
        self.work, self.ledger, self.context = work, ledger, context
        self.staged: list[Converted] = []
        self.ran = bytearray(len(work.rows))
        self.failures: list[RowFailure] = []
        self._given_uids = work.given_uids()

    @property
    def stages_all(self) -> bool:
        """Whether every row that leaves its UID to be derived is staged, until it is known that no other row names it."""
        return bool(self._given_uids)

    def take(self, result: ChunkResult) -> tuple[int, int]:
        """Record a chunk; return how many lines of the manifest were converted and failed."""
        refused = [self._taken_uid(outcome) for outcome in result.staged]
        self.staged += [outcome for outcome, failed in zip(result.staged, refused, strict=True) if failed is None]
        failed = self.commit(result.columns) + self.fail([each for each in refused if each]) + result.unsettled
        lines = len(result.columns[0]) if result.columns else 0
        return lines + sum(len(o.sources) for o in result.staged) + result.unsettled - failed, failed

    def fail(self, outcomes: Iterable[Failed]) -> int:
        """Record rows that failed without a worker's doing; return how many lines of the manifest they are."""
        return self.commit(self.columns(outcomes))

    def columns(self, outcomes: Iterable[Outcome]) -> Columns:
        """Return outcomes as the ledger takes them."""
        outcomes = list(outcomes)
        lines = [facts.ordinal for outcome in outcomes for facts in outcome.sources]
        known = map(Fingerprint, *self.work.plan.fingerprints(lines))
        return columns_of(outcomes, dict(zip(lines, known, strict=True)), self.context)

    def commit(self, columns: Columns, moves: Sequence[tuple[str, str]] = ()) -> int:
        """Write lines into the ledger and return how many failed; a failed row keeps the output it has."""
        if not columns:
            return 0
        rows = list(zip(*columns, strict=True))
        obsolete, unwritten = [], []
        for place, (ordinal, status, output) in enumerate(
            zip(columns[_ORDINAL], columns[_STATUS], columns[_OUTPUT], strict=True)
        ):
            before = self.work.plan.outputs[ordinal]
            if status == "failed":
                self._note_failure(ordinal, rows[place])
                unwritten.append(self.work.rows.column("output")[ordinal])
                if before:
                    rows[place] = sealed(dict(zip(STORED, rows[place], strict=True)) | self.ledger.earlier(ordinal))
            elif before and before != output:
                obsolete.append(ordinal)
        self.ledger.insert(rows, obsolete, moves, paced=True)
        for ordinal in columns[_ORDINAL]:
            self.ran[ordinal] = True
        if unwritten and self.context.outputs.writes:
            self.ledger.forget_claims(name for name in unwritten if name)
        return len(unwritten)

    def _note_failure(self, ordinal: int, record: Sequence[Any]) -> None:
        stage, error, message = (record[place] or "" for place in _WHY)
        rows = self.work.rows
        names = (rows.column(name)[ordinal] for name in ("source", "output"))
        self.failures.append(RowFailure(int(rows.lines[ordinal]), stage, error, message, unnamed(message, names)))

    def _taken_uid(self, outcome: Converted) -> Failed | None:
        """Return a row as failed if the UID derived for it is the one that another row names."""
        uid, rows = outcome.made["sop_instance_uid"], self.work.rows
        if uid not in self._given_uids or rows.column("SOPInstanceUID")[outcome.ordinal]:
            return None
        message = (
            f"{rows.column('source')[outcome.ordinal]}: its SOPInstanceUID {uid} is the one that another row names "
            "(PS3.5 9). Give that row another, or leave its cell empty."
        )
        return self.refused(outcome, "ManifestError", message)

    def refused(self, outcome: Converted, error: str, message: str) -> Failed:
        """Return a converted row as failed; its file, which isn't in its place yet, goes."""
        self.context.outputs.drop(outcome.stored.staged)
        return Failed(
            sources=outcome.sources,
            stage="store",
            error=error,
            message=message,
            seconds=outcome.seconds,
            worker=outcome.worker,
        )
