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

from bulkdcm import images, manifest, names, pictures, template, uids
from bulkdcm.attributes.dictionary import SOURCE
from bulkdcm.conversion import archived, examination
from bulkdcm.conversion import given as given_to
from bulkdcm.conversion.context import Context, release
from bulkdcm.conversion.execute import Execution
from bulkdcm.conversion.preparation import Preparation
from bulkdcm.conversion.retelling import to_look_at
from bulkdcm.encode import check_codec
from bulkdcm.errors import ManifestError, RunError, SettingsError, StorageError
from bulkdcm.ledger.files import ARCHIVES, FOLDER, set_aside
from bulkdcm.ledger.ledger import open_ledger
from bulkdcm.ledger.lock import Lock
from bulkdcm.objects import offer
from bulkdcm.problem import in_order
from bulkdcm.report import RESERVED, Asked, Report, Rows, completed, refuse_foreign, write, write_refusal
from bulkdcm.settings import local_path
from bulkdcm.stores import Local, Null, Recognise
from bulkdcm.stores.catalogue import Catalogue
from bulkdcm.stores.folder import folds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bulkdcm.ledger.ledger import Ledger
    from bulkdcm.manifest import Manifest
    from bulkdcm.model import Given, Problem
    from bulkdcm.settings import Settings
    from bulkdcm.stores import Store
    from bulkdcm.watch import Progress


def plan(given: Given, out: str | Path, settings: Settings) -> dict[str, int]:
    """Return how many rows would run by reason; see `bulkdcm.plan`."""
    path, folder = manifest.path_of(given), local_path("--out", out)
    with _catalogue(path, settings, folder) as catalogue:
        rows, problems = _checked(given, settings, catalogue, through=False)
        errors = _refuse(path, problems, settings)
        context = _context(settings, outputs_at(folder), _sources(rows, catalogue))
        preparation = Preparation(path, rows, context)
        if not preparation.begun:
            return preparation.counts(preparation.work(None, errors))
        with Lock(folder / FOLDER, settings.ledger), _opened(folder, settings) as ledger:
            preparation.context = archived.settled(context, rows, catalogue)
            archived.unpack_all(rows, catalogue, unlisted=True)
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
    path, folder = manifest.path_of(given), local_path("--out", out)
    begun = _Begun(path)
    store = outputs_at(folder, outputs)
    try:
        return _run(given, settings, way, store, begun)
    except RunError as error:
        write_refusal(error, begun.asked, begun.elapsed_s, folder, store)
        raise


class _Begun:
    """What a run was asked for, as far as it is known yet, and since when.

    Parameters
    ----------
    path
        Of the manifest.
    """

    def __init__(self, path: Path) -> None:
        self.since = time.perf_counter()
        self.asked = Asked(manifest=str(path), started_at=datetime.now(UTC))

    @property
    def elapsed_s(self) -> float:
        """How long it has taken."""
        return time.perf_counter() - self.since


def _run(given: Given, settings: Settings, way: Way, outputs: Local, begun: _Begun) -> Report:
    path, folder = manifest.path_of(given), Path(outputs.root)
    check_codec(settings)
    with _catalogue(path, settings, folder) as catalogue:
        rows, problems = _checked(given, settings, catalogue, through=False)
        begun.asked = replace(begun.asked, manifest_sha256=rows.sha256)
        errors = _refuse(path, problems, settings)
        context = _context(settings, outputs, _sources(rows, catalogue))
        preparation = Preparation(path, rows, context)
        first = None if preparation.begun else preparation.work(None, errors)  # what is refused leaves nothing behind
        context.outputs.prepare()
        if not settings.overwrite:
            refuse_foreign(folder)
        with context.outputs.held() as store, Lock(folder / FOLDER, settings.ledger):
            preparation.context = replace(archived.settled(context, rows, catalogue), outputs=store)
            if store.recognises:
                set_aside(folder, settings.ledger)
            with _opened(folder, settings) as ledger:
                if not (first and ledger.untouched):
                    archived.unpack_all(rows, catalogue, unlisted=True)
                    first = preparation.work(ledger, errors)
                given_to.note(ledger, given, path, settings, folder)
                archived.unpack(first, catalogue)
                context = replace(preparation.context, run=ledger.begin_run(begun.since))
                execution = Execution(first, ledger, context, way.on_progress)
                return _executed(execution, problems, begun, keep_rows=way.keep_rows)


def _executed(execution: Execution, problems: Sequence[Problem], begun: _Begun, *, keep_rows: bool) -> Report:
    """Run what is left to do, write the report, and return it."""
    work, ledger, context = execution.work, execution.ledger, execution.context
    ledger.note("images", json.dumps(context.sources.local_path))  # keeps bytes that are no text
    interrupted = execution.go(begun.asked.note)
    if execution.stopped:
        raise StorageError(execution.stopped)
    ran = execution.recording.ran
    blocks = completed(ledger.blocks(len(work.rows), ran), execution.listing.named(), work.unchanged())
    report = Report(
        asked=begun.asked,
        rows=Rows(blocks, ran, keep=keep_rows),
        warnings=tuple(problem for problem in problems if problem.severity != "error"),
        notes=(*execution.notes, *work.notes()),
        elapsed_s=begun.elapsed_s,
        n_jobs=execution.workers.count,
        interrupted=interrupted,
        partial=context.settings.selects,
        pace=tuple(ledger.pace()),
        look=pictures.look(to_look_at(Path(context.outputs.local_path)), context.sources),
    )
    ledger.tell_of_run(**report.facts())
    context.outputs.check()
    write(report, context.outputs)
    context.outputs.check()
    if not interrupted:
        ledger.mark("ended")  # from here on nothing half written can be left
    execution.settlement.say_what_is_left()
    return report


rebuild = partial(run, outputs=Recognise)
rehearse = partial(run, outputs=Null)


def examined(given: Given, settings: Settings) -> tuple[Manifest, list[Problem]]:
    """Return the rows of a manifest, and every problem of it and of its images; errors first, in the order of their lines."""
    path = manifest.path_of(given)
    with _catalogue(path, settings) as catalogue:
        rows, problems = _checked(given, settings, catalogue)
        errors = {line for problem in problems if problem.severity == "error" for line in problem.lines}
        context = _context(settings, outputs_at(path.parent, Null), _sources(rows, catalogue))
        archived.unpack_all(rows, catalogue)
        found = examination.examined(rows, context, errors)
    told = {line for problem in found for line in problem.lines}
    rest = [
        one for one in problems if one.column != SOURCE or not told.issuperset(one.lines)
    ]  # such as files that lack
    return rows, in_order([*rest, *found])


@contextlib.contextmanager
def read_again(given: Given, settings: Settings, out: Path, *, sources: bool) -> Iterator[tuple[Manifest, Context]]:
    """Yield the rows of a manifest that was run, and what workers need to look at their files.

    Parameters
    ----------
    given, settings
        As the run had them.
    out
        Its output folder.
    sources
        Whether sources are read, too.
    """
    with _catalogue(manifest.path_of(given), settings, out) as catalogue:
        rows, _ = _checked(given, settings, catalogue)
        if sources:
            archived.unpack_all(rows, catalogue)
        yield rows, _context(settings, outputs_at(out), _sources(rows, catalogue))


def outputs_alone(settings: Settings, out: Path) -> Context:
    """Return what workers need to look at the outputs of a manifest that isn't known."""
    return _context(settings, outputs_at(out), outputs_at(out))


def outputs_at(folder: Path, store: type[Local] = Local) -> Local:
    """Return the store that an output folder is."""
    root = names.slashed(os.path.abspath(folder))  # noqa: PTH100  # a worker elsewhere has another current folder
    known = (root, FOLDER) if os.path.lexists(f"{root}/{FOLDER}") else os.path.split(root)
    return store(root=root, folds=folds(*known))


def _catalogue(path: Path, settings: Settings, out: Path | None = None) -> Catalogue:
    earlier = os.path.abspath(out / FOLDER / ARCHIVES) if out else ""  # noqa: PTH100  # as above
    return Catalogue(_images_root(path, settings), follow_links=settings.follow_links, earlier=earlier)


def _sources(rows: Manifest, catalogue: Catalogue) -> Store:
    plain = Local(root=catalogue.root, option="--images", follow_links=catalogue.follow_links)
    return archived.sources(rows, catalogue) or plain


def _context(settings: Settings, outputs: Store, sources: Store) -> Context:
    uid_key = uids.read_key(settings.uid_key_file)
    transcoder = images.transcoder(settings)
    return Context(
        settings=settings,
        sources=sources,
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
    return names.real(root)


def checked(given: Given, settings: Settings) -> tuple[Manifest, list[Problem]]:
    """Return the rows of a manifest, and every problem of it."""
    with _catalogue(manifest.path_of(given), settings) as catalogue:
        return _checked(given, settings, catalogue)


def _checked(
    given: Given, settings: Settings, catalogue: Catalogue, *, through: bool = True
) -> tuple[Manifest, list[Problem]]:
    """Return the same, and of archives that can only be read in order what is in them only if they are read `through`."""
    offered = offer()
    manifest.check_defaults(settings.defaults, offered)
    options = {name: (value, f"--set {name}={value}") for name, value in reversed(settings.defaults)}
    if settings.template:
        found = template.defaults(settings.template, with_patient=settings.template_patient)
        options = {name: (value, f"--template {settings.template}, {name}") for name, value in found} | options
        settings = replace(settings, defaults=(*settings.defaults, *found))
    disk = manifest.Disk(catalogue.root, catalogue, through)
    rows, problems = manifest.checked(manifest.read(given, settings), settings, offered, disk=disk, reserved=RESERVED)
    return rows, manifest.by_option(problems, rows, options) if options else problems
