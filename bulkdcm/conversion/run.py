"""The whole story of a run on one page: manifest, preflight, plan, chunks, ledger, report."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bulkdcm import images, manifest, template, uids
from bulkdcm.attributes.dictionary import SOURCE
from bulkdcm.conversion import examination
from bulkdcm.conversion.context import Context, release
from bulkdcm.conversion.execute import Execution
from bulkdcm.conversion.plan import UNCHANGED
from bulkdcm.conversion.preparation import Preparation
from bulkdcm.encode import check_codec
from bulkdcm.errors import ManifestError, RunError, SettingsError, StorageError
from bulkdcm.ledger.files import FOLDER, set_aside
from bulkdcm.ledger.ledger import open_ledger
from bulkdcm.ledger.lock import Lock
from bulkdcm.objects import offer
from bulkdcm.problem import in_order
from bulkdcm.report import RESERVED, Asked, Report, Rows, complete, refuse_foreign, write, write_refusal
from bulkdcm.settings import local_path
from bulkdcm.stores import Local, Null, Recognise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bulkdcm.conversion.work import Work
    from bulkdcm.ledger.block import Block
    from bulkdcm.ledger.ledger import Ledger
    from bulkdcm.manifest import Manifest
    from bulkdcm.model import Given, Problem
    from bulkdcm.settings import Settings
    from bulkdcm.stores import Store
    from bulkdcm.watch import Progress


def plan(given: Given, out: str | Path, settings: Settings) -> dict[str, int]:
    """Return how many rows would run by reason; see `bulkdcm.plan`."""
    path, folder = manifest.path_of(given), local_path("--out", out)
    rows, problems = checked(given, settings)
    errors = _refuse(path, problems, settings)
    context = _context(path, settings, _outputs(folder))
    preparation = Preparation(path, rows, context)
    if not preparation.begun:
        return preparation.counts(preparation.work(None, errors))
    with Lock(folder / FOLDER, settings.ledger), _opened(folder, settings) as ledger:
        return preparation.counts(preparation.work(ledger, errors))


class Way(NamedTuple):
    """What calls that run rows differ in.

    Attributes
    ----------
    on_progress, keep_rows
        As in `bulkdcm.convert`.
    """

    on_progress: Callable[[Progress], None] | None
    keep_rows: bool


def run(
    given: Given,
    out: str | Path,
    settings: Settings,
    way: Way,
    *,
    outputs: type[Local] = Local,
) -> Report:
    """Run all that is left to do; see `bulkdcm.convert`.

    Parameters
    ----------
    given, out, settings, way
        As there.
    outputs
        The store that the outputs go to.
    """
    started = time.perf_counter()
    path, folder = manifest.path_of(given), local_path("--out", out)
    asked = [Asked(manifest=str(path), started_at=datetime.now(UTC))]
    store = _outputs(folder, outputs)
    try:
        return _run(given, settings, way, store, asked, started)
    except RunError as error:
        write_refusal(error, asked[-1], time.perf_counter() - started, folder, store)
        raise


def _run(  # noqa: PLR0913, PLR0917  # the story of a run, with what its refusal is told by
    given: Given, settings: Settings, way: Way, outputs: Local, asked: list[Asked], started: float
) -> Report:
    path, folder = manifest.path_of(given), Path(outputs.root)
    check_codec(settings)
    rows, problems = checked(given, settings)
    asked.append(replace(asked[0], manifest_sha256=rows.sha256))
    errors = _refuse(path, problems, settings)
    context = _context(path, settings, outputs)
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
            execution = Execution(work, ledger, context, way.on_progress)
            interrupted = execution.go()
            if execution.stopped:
                raise StorageError(execution.stopped)
            report = Report(
                asked=asked[-1],
                rows=Rows(_blocks(work, ledger, execution.recording.ran), execution.recording.ran, keep=way.keep_rows),
                warnings=tuple(problem for problem in problems if problem.severity != "error"),
                notes=(*execution.notes, *work.notes()),
                elapsed_s=time.perf_counter() - started,
                n_jobs=execution.workers.count,
                interrupted=interrupted,
                partial=settings.selects,
            )
            store.check()
            write(report, store)
            store.check()
            if not interrupted:
                ledger.mark("ended")  # from here on nothing half written can be left
            execution.settlement.say_what_is_left()
    return report


rebuild = partial(run, outputs=Recognise)
rehearse = partial(run, outputs=Null)


def examined(given: Given, settings: Settings) -> tuple[Manifest, list[Problem]]:
    """Return the rows of a manifest, and every problem of it and of its images; errors first, in the order of their lines."""
    rows, problems = checked(given, settings)
    path = manifest.path_of(given)
    errors = {line for problem in problems if problem.severity == "error" for line in problem.lines}
    found = examination.examined(rows, _context(path, settings, _outputs(path.parent, Null)), errors)
    told = {line for problem in found for line in problem.lines}
    rest = [
        one for one in problems if one.column != SOURCE or not told.issuperset(one.lines)
    ]  # such as files that lack
    return rows, in_order([*rest, *found])


def _outputs(folder: Path, store: type[Local] = Local) -> Local:
    return store(root=os.path.abspath(folder))  # noqa: PTH100  # a worker elsewhere has another current folder


def _context(path: Path, settings: Settings, outputs: Store) -> Context:
    uid_key = uids.read_key(settings.uid_key_file)
    transcoder = images.transcoder(settings)
    return Context(
        settings=settings,
        sources=Local(root=_images_root(path, settings), option="--images", follow_links=settings.follow_links),
        outputs=outputs,
        basis=settings.output_options(uid_key) + (f";{transcoder}" if transcoder else ""),
        release=release(settings.acceptance),
        uid_key=uid_key,
        parent=os.getpid(),
        transcoder=transcoder,
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


def checked(given: Given, settings: Settings) -> tuple[Manifest, list[Problem]]:
    """Return the rows of a manifest, and every problem of it."""
    offered = offer()
    manifest.check_defaults(settings.defaults, offered)
    options = {name: (value, f"--set {name}={value}") for name, value in reversed(settings.defaults)}
    if settings.template:
        found = template.defaults(settings.template, with_patient=settings.template_patient)
        options = {name: (value, f"--template {settings.template}, {name}") for name, value in found} | options
        settings = replace(settings, defaults=(*settings.defaults, *found))
    root = _images_root(manifest.path_of(given), settings)
    rows, problems = manifest.checked(manifest.read(given, settings), settings, offered, root=root, reserved=RESERVED)
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
