"""A run proved afterwards: its ledger beside the folder, the manifest and the sources, in workers, file by file."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from bulkdcm import system, validation, watch
from bulkdcm.conversion import given as given_to
from bulkdcm.conversion import proving, run
from bulkdcm.conversion.inventory import Inventory
from bulkdcm.conversion.lot import Asked
from bulkdcm.conversion.verified import Stamps
from bulkdcm.engines import ENGINES, Job, Recovery, Workers, cut
from bulkdcm.errors import SettingsError, StorageError, Terminated
from bulkdcm.ledger.files import FILE, FOLDER
from bulkdcm.ledger.ledger import open_ledger
from bulkdcm.ledger.lock import Lock
from bulkdcm.names import one_name
from bulkdcm.printable import counted
from bulkdcm.proof import kinds
from bulkdcm.proof.verification import MOST_KEPT, Finding, Gathering, Verification, recognise
from bulkdcm.report import VERIFIED
from bulkdcm.settings import Settings
from bulkdcm.stores import is_temporary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bulkdcm.conversion.context import Context
    from bulkdcm.conversion.lot import Proofs
    from bulkdcm.ledger.ledger import Ledger
    from bulkdcm.manifest import Manifest
    from bulkdcm.model import Given
    from bulkdcm.watch import Watcher

_DCIODVFY = "dciodvfy"
_FILE_S = 0.005  # about what one takes, for the size of chunks
_UID = re.compile(r"([0-9.]+) in the file")
_ASKED_TOGETHER = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a caller of `verify` wants beside the settings.

    Attributes
    ----------
    sources
        Whether sources are read and decoded.
    dciodvfy
        Whether it is run on each file.
    again
        Whether an interrupted verification is forgotten.
    progress
        As for `convert`.
    """

    sources: bool = True
    dciodvfy: bool = False
    again: bool = False
    progress: bool | Watcher = False

    def asked(self) -> Asked:
        """Return what workers are asked.

        Raises
        ------
        SettingsError
            If dciodvfy isn't installed.
        """
        program = shutil.which(_DCIODVFY) if self.dciodvfy else ""
        if program is None:
            msg = "--dciodvfy needs the program dciodvfy: install Debian's dicom3tools, or leave the option out."
            raise SettingsError(msg)
        return Asked(sources=self.sources, dciodvfy=program)


def has_ledger(folder: Path, settings: Settings) -> bool:
    """Whether a run has been at a folder."""
    return bool(settings.ledger) or (folder / FOLDER / FILE).exists()


def verify(folder: Path, given: Given | None, settings: Settings, wanted: Wanted) -> Verification:
    """Prove a run; see `bulkdcm.verify`."""
    began = time.perf_counter()
    asked = wanted.asked()
    if not has_ledger(folder, settings):
        return replace(_each_by_itself(folder, settings), elapsed_s=time.perf_counter() - began)
    if (folder / VERIFIED).exists() and not recognise(folder / VERIFIED):
        msg = f"{folder / VERIFIED} is no verification of bulkdcm, and would be replaced. Move it away."
        raise StorageError(msg)
    with Lock(folder / FOLDER, settings.ledger), contextlib.closing(open_ledger(folder, settings.ledger)) as ledger:
        (folder / VERIFIED).unlink(missing_ok=True)  # so that an earlier one never stands for this one
        found = Proof(ledger, folder, settings, wanted)
        interrupted = found.go(given, asked)
        result = replace(
            found.result(),
            interrupted=interrupted,
            run_started_at=ledger.run_facts().get("asked", {}).get("started_at", ""),
            elapsed_s=time.perf_counter() - began,
            ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        with run.outputs_at(folder).writing(VERIFIED) as file:
            result.write(file)
    return result


def _each_by_itself(folder: Path, settings: Settings) -> Verification:
    """Return what is wrong with DICOM files that no ledger knows."""
    gathering = Gathering()
    files = 0
    for count, found in validation.verify_all([folder], settings.n_jobs, settings.max_pixels):
        files += count
        gathering.add(Finding(kind=kinds.STANDARD, path=f.path, where=f.where, what=f.rule) for f in found)
    return Verification(
        out=str(folder),
        files=files,
        findings=gathering.sorted(),
        counts=dict(gathering.counts),
        notes=("each file was compared with itself alone: there is no ledger",),
    )


class Proof:
    """One verification.

    Parameters
    ----------
    ledger
        Open.
    folder
        The output folder.
    settings
        Of the call.
    wanted
        What else it asks for.
    """

    def __init__(self, ledger: Ledger, folder: Path, settings: Settings, wanted: Wanted) -> None:
        self._ledger, self._folder, self._settings, self._wanted = ledger, folder, settings, wanted
        self._gathering = Gathering()
        self._by: Counter[str] = Counter()
        self._notes: list[str] = []
        self._files = self._proved = self._again = self._at_fault = 0

    def go(self, given: Given | None, asked: Asked) -> int:
        """Look at everything; return the number of the signal that ended it before, or 0."""
        with self._read(given) as (rows, context):
            inventory = Inventory(self._ledger, rows, one_name(folds=context.outputs.folds))
            self._say(inventory, rows)
            self._beside(inventory)
            inventory.sampled(self._settings.sample)
            self._duplicates()
            stamps = Stamps(self._folder, again=self._wanted.again)
            interrupted = 0
            try:
                with watch.watched(self._wanted.progress, "verifying") as show:
                    self._prove(inventory, stamps, context, asked, show)
            except Terminated:
                interrupted = 143
            except KeyboardInterrupt:
                interrupted = 130
            finally:
                stamps.close(complete=not interrupted)
        self._name_swapped()
        return interrupted

    @contextlib.contextmanager
    def _read(self, given: Given | None) -> Iterator[tuple[Manifest | None, Context]]:
        """Yield the manifest's rows, if they can be had, and what workers need."""
        settings = self._settings
        if given is None:
            noted = given_to.noted(self._ledger, self._folder)
            given, options = noted.manifest, noted.reading
            usual = Settings()
            own = {name for name in options if getattr(settings, name) != getattr(usual, name)}  # given on the call
            settings = settings.changed(**{name: value for name, value in options.items() if name not in own})
            if given is None or not given.exists():
                what = "the ledger doesn't say which it was" if given is None else f"{given} isn't there"
                self._notes.append(
                    f"files were compared with the ledger alone, not with the manifest and the sources: {what}. Give --manifest"
                )
                yield None, run.outputs_alone(self._settings, self._folder)
                return
        with run.read_again(given, settings, self._folder, sources=self._wanted.sources) as found:
            yield found

    def _say(self, inventory: Inventory, rows: Manifest | None) -> None:
        """Note what isn't proved."""
        notes = self._notes
        if rows is not None:
            without = inventory.without + inventory.pending
            if without:
                notes.append(f"{counted(without, 'row')} of the manifest without an output: see the report")
            if inventory.unknown:
                notes.append(
                    f"{inventory.unknown:,} outputs are of rows that the manifest doesn't have: compared with the ledger alone"
                )
            if not self._wanted.sources:
                notes.append("sources were not read, so pixels were not compared (--no-sources)")
        if self._settings.sample and self._settings.sample < len(inventory.todo):
            notes.append(f"{self._settings.sample:,} of {len(inventory.todo):,} files were looked at (--sample)")
        if self._ledger.left_unclean:
            notes.append("the last run was killed before its end: convert again first")

    def _beside(self, inventory: Inventory) -> None:
        """Find files that the ledger doesn't know, and half-made ones."""
        names: list[str] = []
        for name in run.outputs_at(self._folder).names():
            if name.startswith(f"{FOLDER}/"):
                continue
            if is_temporary(name):
                self._add(kinds.HALF_MADE, name, "left by a run that was killed")
            elif name.lower().endswith(".dcm"):
                names.append(name)
            if len(names) == _ASKED_TOGETHER:
                self._unknown(names, inventory)
                names = []
        self._unknown(names, inventory)

    def _unknown(self, names: list[str], inventory: Inventory) -> None:
        for name, known in zip(names, inventory.knows(names), strict=True):
            if not known:
                self._add(kinds.EXTRA, name, "the ledger doesn't know it")

    def _duplicates(self) -> None:
        for uid, output in self._ledger.duplicates(MOST_KEPT):
            self._add(kinds.DUPLICATE, output, f"{uid} is another file's, too", "SOPInstanceUID")

    def _add(self, kind: str, path: str, what: str, where: str = "file") -> None:
        self._gathering.add([Finding(kind=kind, path=path, where=where, what=what)])

    def _prove(
        self, inventory: Inventory, stamps: Stamps, context: Context, asked: Asked, show: Watcher | None
    ) -> None:
        for done in self._run(inventory, stamps, context, asked):
            stamps.note(done.stamps)
            self._gathering.add(done.findings)
            self._by.update(done.by)
            self._files += done.files
            self._proved += done.proved
            self._again += done.again
            self._at_fault += done.at_fault
            if show:
                right = self._files - self._at_fault
                show(watch.Progress(rows=len(inventory.todo), converted=right, failed=self._at_fault))

    def _run(self, inventory: Inventory, stamps: Stamps, context: Context, asked: Asked) -> Iterator[Proofs]:
        settings = self._settings
        engine = ENGINES[settings.backend]
        todo = inventory.todo.tolist()
        workers = Workers(
            count=min(engine.workers(settings.n_jobs, settings.scheduler), max(1, len(todo))),
            address=settings.scheduler,
            loads=proving.__name__,
        )
        job: Job[int, Proofs] = Job(
            run=partial(proving.prove_lot, context=context.for_workers(engine), asked=asked),
            pack=partial(inventory.lot, stamps=stamps),
            number=int,
            give_up=partial(_given_up, inventory=inventory),
            timeout_s=settings.row_timeout_s,
            memory_bytes=context.memory_bytes(workers.count),
        )
        yield from Recovery(
            job, cut(todo, len(todo), workers.count, settings.chunk_size, lambda _: _FILE_S), engine, workers
        )

    def _name_swapped(self) -> None:
        """Say of files with another's SOP Instance UID which row's object they hold."""
        other = {
            finding: match[1]
            for finding in self._gathering.of(kinds.UID)
            if finding.where == "SOPInstanceUID" and (match := _UID.match(finding.what))
        }
        known = self._ledger.outputs_of(list(set(other.values())))
        for finding, uid in other.items():
            if (output := known.get(uid, finding.path)) != finding.path:
                what = f"it holds the object that {output} should hold"
                self._gathering.replace(finding, replace(finding, kind=kinds.SWAPPED, where="file", what=what))

    def result(self) -> Verification:
        """Return what was found."""
        notes = [*self._notes, *system.missing_protection()]
        if self._again:
            notes.append(
                f"{counted(self._again, 'file')} found right before, by a verification that was interrupted (--again looks at them again)"
            )
        return Verification(
            out=str(self._folder),
            files=self._files,
            proved=self._proved,
            findings=self._gathering.sorted(),
            counts={kind: count for kind in kinds.KINDS if (count := self._gathering.counts[kind])},
            by=dict(self._by),
            notes=tuple(notes),
        )


def _given_up(number: int, *, late: bool, inventory: Inventory) -> Proofs:
    return proving.given_up(inventory.output(number), late=late)
