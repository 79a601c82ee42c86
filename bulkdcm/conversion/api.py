"""The whole story of a run on one page: manifest, preflight, plan, chunks, ledger, report."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from bulkdcm import manifest, template, uids
from bulkdcm.conversion.context import Context, release
from bulkdcm.conversion.execute import Execution, Progress
from bulkdcm.conversion.plan import UNCHANGED
from bulkdcm.conversion.preparation import Preparation
from bulkdcm.encode import check_codec
from bulkdcm.errors import ManifestError, SettingsError, StorageError
from bulkdcm.ledger.files import FOLDER, set_aside
from bulkdcm.ledger.ledger import open_ledger
from bulkdcm.ledger.lock import Lock
from bulkdcm.objects import offer
from bulkdcm.report import RESERVED, Report, Rows, complete, refuse_foreign, write
from bulkdcm.settings import Settings, local_path
from bulkdcm.stores import Local, Null, Recognise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bulkdcm.conversion.work import Work
    from bulkdcm.ledger.block import Block
    from bulkdcm.ledger.ledger import Ledger
    from bulkdcm.manifest import Manifest
    from bulkdcm.model import ManifestRow, Problem
    from bulkdcm.stores import Store

__all__ = ["Progress", "check", "convert", "first_rows", "plan", "rebuild", "rehearse"]


def check(path: str | Path, settings: Settings | None = None, **options: Any) -> list[Problem]:
    """Return every problem of a manifest without converting anything; errors come first.

    Parameters
    ----------
    path
        The manifest.
    settings
        Options; or give them by name, as ``check("m.csv", images="png/")``.

    Raises
    ------
    ManifestError
        Where the file can't be read as a manifest at all.
    """
    return _checked(local_path("manifest", path), settings or Settings.of(**options))[1]


def first_rows(path: str | Path, count: int, settings: Settings | None = None, **options: Any) -> list[ManifestRow]:
    """Return the first rows of a manifest as they will be written.

    Parameters
    ----------
    path, settings
        As for `check`.
    count
        How many.
    """
    rows, _ = _checked(local_path("manifest", path), settings or Settings.of(**options))
    return manifest.part(rows, range(min(count, len(rows)))).rows()


def plan(path: str | Path, out: str | Path, settings: Settings | None = None, **options: Any) -> dict[str, int]:
    """Return how many rows `convert` would run by reason (``done`` for those it wouldn't), and do nothing.

    Parameters
    ----------
    path, out, settings
        As for `convert`.
    """
    settings = settings or Settings.of(**options)
    path, folder = local_path("manifest", path), local_path("--out", out)
    rows, problems = _checked(path, settings)
    errors = _refuse(path, problems, settings)
    context = _context(path, settings, _outputs(folder))
    preparation = Preparation(path, rows, context)
    if not preparation.begun:
        return preparation.counts(preparation.work(None, errors))
    with Lock(folder / FOLDER, settings.ledger), _opened(folder, settings) as ledger:
        return preparation.counts(preparation.work(ledger, errors))


def convert(
    path: str | Path,
    out: str | Path,
    settings: Settings | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    keep_rows: bool = True,
    **options: Any,
) -> Report:
    """Convert every row of a manifest that is not done yet, and return the report on all of them.

    Parameters
    ----------
    path
        The manifest, a CSV file.
    out
        The output folder; made where it is missing.
    settings
        Options; or give them by name, as ``convert("m.csv", "dicom/", n_jobs=8)``.
    on_progress
        Called in this process after each chunk.
    keep_rows
        Whether ``report.table`` may be asked for; without it, a million rows take some 0.3 GB less.

    Returns
    -------
    Report
        ``report.table`` has one line for each row of the manifest, converted or not.

    Raises
    ------
    SettingsError
        Where an option can't be used.
    ManifestError
        Where the manifest has problems; nothing has been written then.
    BusyError
        Where another run is at the same output folder.
    StorageError, LedgerError
        Where the output folder can't be written; what was finished is kept, and the same call goes on.
    """
    return _run(path, out, settings or Settings.of(**options), _Way(on_progress, keep_rows))


def rebuild(
    path: str | Path,
    out: str | Path,
    settings: Settings | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    keep_rows: bool = True,
    **options: Any,
) -> Report:
    """Make a lost or damaged ledger anew from the outputs, writing no output.

    Each row is converted in memory, and where its output holds the very same bytes it is done; nothing is guessed. The
    other rows are left for `convert`. An old ledger is kept beside the new one.

    Parameters
    ----------
    path, out, settings, on_progress, keep_rows
        As for `convert`.
    """
    return _run(path, out, settings or Settings.of(**options), _Way(on_progress, keep_rows, Recognise))


def rehearse(
    path: str | Path,
    out: str | Path,
    settings: Settings | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    keep_rows: bool = True,
    **options: Any,
) -> Report:
    """Do all that `convert` does but write the outputs: what is left of its time is not the storage's.

    Parameters
    ----------
    path, out, settings, on_progress, keep_rows
        As for `convert`; `out` gets a ledger and a report, and should be a folder of its own.
    """
    return _run(path, out, settings or Settings.of(**options), _Way(on_progress, keep_rows, Null))


class _Way(NamedTuple):
    """What calls that run rows differ in."""

    on_progress: Callable[[Progress], None] | None
    keep_rows: bool
    outputs: type[Local] = Local


def _run(path: str | Path, out: str | Path, settings: Settings, way: _Way) -> Report:
    started = time.perf_counter()
    path, folder = local_path("manifest", path), local_path("--out", out)
    check_codec(settings)
    rows, problems = _checked(path, settings)
    errors = _refuse(path, problems, settings)
    context = _context(path, settings, _outputs(folder, way.outputs))
    preparation = Preparation(path, rows, context)
    first = None if preparation.begun else preparation.work(None, errors)  # what is refused leaves nothing behind
    context.outputs.prepare()
    if not settings.overwrite:
        refuse_foreign(folder)
    with context.outputs.held() as store, Lock(folder / FOLDER, settings.ledger):
        context = replace(context, outputs=store)
        if store.recognises:
            set_aside(folder, settings.ledger)
        with _opened(folder, settings) as ledger:
            work = first if first and ledger.untouched else preparation.work(ledger, errors)
            ledger.note("images", json.dumps(context.sources.local_path))  # keeps bytes that are no text
            run = Execution(work, ledger, context, way.on_progress)
            interrupted = run.go()
            if run.stopped:
                raise StorageError(run.stopped)
            report = Report(
                rows=Rows(_blocks(work, ledger, run.recording.ran), run.recording.ran, keep=way.keep_rows),
                warnings=tuple(problem for problem in problems if problem.severity == "warning"),
                notes=(*run.notes, *work.notes()),
                elapsed_s=time.perf_counter() - started,
                n_jobs=run.workers.count,
                interrupted=interrupted,
                partial=settings.selects,
            )
            store.check()
            write(report, store)
            store.check()
            if not interrupted:
                ledger.mark("ended")  # from here on nothing half written can be left
            run.settlement.say_what_is_left()
    return report


def _outputs(folder: Path, store: type[Local] = Local) -> Local:
    return store(root=os.path.abspath(folder))  # noqa: PTH100  # a worker elsewhere has another current folder


def _context(path: Path, settings: Settings, outputs: Store) -> Context:
    uid_key = uids.read_key(settings.uid_key_file)
    return Context(
        settings=settings,
        sources=Local(root=_images_root(path, settings), option="--images", follow_links=settings.follow_links),
        outputs=outputs,
        basis=settings.output_options(uid_key),
        release=release(settings.acceptance),
        uid_key=uid_key,
        parent=os.getpid(),
    )


def _refuse(path: Path, problems: Sequence[Problem], settings: Settings) -> list[Problem]:
    """Return the errors among `problems`; raise where there are any and they may not be skipped."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors and not settings.skip_invalid:
        raise ManifestError.of(path, problems)
    return errors


@contextlib.contextmanager
def _opened(folder: Path, settings: Settings) -> Iterator[Ledger]:
    ledger = open_ledger(folder, settings.ledger)
    try:
        yield ledger
    finally:
        ledger.close()


def _images_root(path: Path, settings: Settings) -> str:
    root = settings.images or path.parent
    if not root.is_dir():
        msg = f"--images {root}: no such folder. Name the folder that the source column is relative to."
        raise SettingsError(msg)
    return os.path.realpath(root)


def _checked(path: Path, settings: Settings) -> tuple[Manifest, list[Problem]]:
    offered = offer()
    manifest.check_defaults(settings.defaults, offered)
    options = {name: (value, f"--set {name}={value}") for name, value in reversed(settings.defaults)}
    if settings.template:
        found = template.defaults(settings.template, with_patient=settings.template_patient)
        options = {name: (value, f"--template {settings.template}, {name}") for name, value in found} | options
        settings = replace(settings, defaults=(*settings.defaults, *found))
    root = _images_root(path, settings)
    rows, problems = manifest.checked(manifest.read(path, settings), settings, offered, root=root, reserved=RESERVED)
    return rows, manifest.by_option(problems, rows, options) if options else problems


def _blocks(work: Work, ledger: Ledger, ran: Sequence[int]) -> Iterator[Block]:
    rows, unchanged, at = work.rows, set(work.unchanged()), 0
    source, output = rows.column("source"), rows.column("output")
    for recorded in ledger.blocks(len(rows), ran):
        part = slice(at, at + recorded.count)
        block = complete(
            recorded,
            rows.lines[part].tolist(),
            [source.values[code] for code in source.codes[part].tolist()],
            [output.values[code] for code in output.codes[part].tolist()],
        )
        here = range(at, at + recorded.count)
        if not unchanged.isdisjoint(here):
            reasons = zip(here, block["reason"], strict=True)
            block = block.replaced("reason", [UNCHANGED if o in unchanged else reason for o, reason in reasons])
        at += recorded.count
        yield block
