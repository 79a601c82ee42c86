"""The whole story of a run on one page: manifest, preflight, plan, chunks, ledger, report."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkdcm import iods, manifest, resume, storage, template, uids
from bulkdcm.encode import check_codec
from bulkdcm.errors import ManifestError, SettingsError, StorageError
from bulkdcm.execution import Execution, Progress
from bulkdcm.ledger import CONTENT, FOLDER, open_ledger, set_aside
from bulkdcm.lock import Lock
from bulkdcm.outcome import Failed
from bulkdcm.report import Report, frame_of
from bulkdcm.settings import Settings
from bulkdcm.worker import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bulkdcm.ledger import Ledger
    from bulkdcm.manifest import Manifest
    from bulkdcm.model import ManifestRow, Problem

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
    return _checked(Path(path), settings or Settings.of(**options))[1]


def first_rows(path: str | Path, count: int, settings: Settings | None = None, **options: Any) -> list[ManifestRow]:
    """Return the first rows of a manifest as they will be written.

    Parameters
    ----------
    path, settings
        As for `check`.
    count
        How many.
    """
    rows, _ = _checked(Path(path), settings or Settings.of(**options))
    return list(manifest.rows(rows, range(min(count, len(rows)))))


def plan(path: str | Path, out: str | Path, settings: Settings | None = None, **options: Any) -> dict[str, int]:
    """Return how many rows `convert` would run by reason (``done`` for those it wouldn't), and do nothing.

    Parameters
    ----------
    path, out, settings
        As for `convert`.
    """
    settings = settings or Settings.of(**options)
    rows, problems = _checked(Path(path), settings)
    _refuse(Path(path), problems, settings)
    folder = Path(out)
    if not (folder / FOLDER).exists():
        return {resume.NEW: len(rows)}
    with Lock(folder / FOLDER), _opened(folder, settings) as ledger:
        found = resume.plan(rows, ledger, _output_options(settings), (_images_root(Path(path), settings), str(out)))
        return found.counts()


def convert(
    path: str | Path,
    out: str | Path,
    settings: Settings | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
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

    Returns
    -------
    Report
        ``report.frame`` has one line for each row of the manifest, converted or not.

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
    return _run(Path(path), Path(out), settings or Settings.of(**options), on_progress)


def rebuild(
    path: str | Path,
    out: str | Path,
    settings: Settings | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    **options: Any,
) -> Report:
    """Make a lost or damaged ledger anew from the outputs, writing no output.

    Each row is converted in memory, and where its output holds the very same bytes it is done; nothing is guessed. The
    other rows are left for `convert`. An old ledger is kept beside the new one.

    Parameters
    ----------
    path, out, settings, on_progress
        As for `convert`.
    """
    return _run(Path(path), Path(out), settings or Settings.of(**options), on_progress, destination="recognise")


def rehearse(
    path: str | Path,
    out: str | Path,
    settings: Settings | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    **options: Any,
) -> Report:
    """Do all that `convert` does but write the outputs: what is left of its time is not the storage's.

    Parameters
    ----------
    path, out, settings, on_progress
        As for `convert`; `out` gets a ledger and a report, and should be a folder of its own.
    """
    return _run(Path(path), Path(out), settings or Settings.of(**options), on_progress, destination="null")


def _run(
    path: Path,
    folder: Path,
    settings: Settings,
    on_progress: Callable[[Progress], None] | None,
    *,
    destination: str = "files",
) -> Report:
    started = time.perf_counter()
    check_codec(settings)
    rows, problems = _checked(path, settings)
    errors = _refuse(path, problems, settings)
    context = Context(
        settings=settings,
        images=_images_root(path, settings),
        out=os.path.abspath(folder),  # noqa: PTH100  # a worker elsewhere has another current folder
        uid_key=uids.read_key(settings.uid_key_file),
        parent=os.getpid(),
        destination=destination,
    )
    storage.prepare(folder)
    with Lock(folder / FOLDER):
        if destination == "recognise":
            set_aside(folder, settings.ledger)
        with _opened(folder, settings) as ledger:
            run = Execution(rows, ledger, context, on_progress)
            interrupted = run.go(_invalid(rows, errors))
            report = Report(
                frame=_frame(rows, ledger),
                warnings=tuple(problem for problem in problems if problem.severity == "warning"),
                notes=tuple(run.notes),
                elapsed_s=time.perf_counter() - started,
                ran=run.ran,
                n_jobs=run.pool.workers,
                interrupted=interrupted,
                partial=settings.selects,
            )
            if run.stopped:
                raise StorageError(run.stopped)
            report.write(folder)
            if not interrupted:
                ledger.mark("ended")  # from here on nothing half written can be left
    return report


def _refuse(path: Path, problems: Sequence[Problem], settings: Settings) -> list[Problem]:
    """Return the errors among `problems`; raise where there are any and they may not be skipped."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors and not settings.skip_invalid:
        msg = f"{path}: {len(errors)} problem{'s' if len(errors) > 1 else ''} found, nothing written."
        raise ManifestError(msg, problems)
    return errors


@contextlib.contextmanager
def _opened(folder: Path, settings: Settings) -> Iterator[Ledger]:
    ledger = open_ledger(folder, settings.ledger)
    try:
        yield ledger
    finally:
        ledger.close()


def _output_options(settings: Settings) -> str:
    return settings.output_options(uids.read_key(settings.uid_key_file))


def _images_root(path: Path, settings: Settings) -> str:
    root = settings.images or path.parent
    if not root.is_dir():
        msg = f"--images {root}: no such folder. Name the folder that the source column is relative to."
        raise SettingsError(msg)
    return os.path.realpath(root)


def _checked(path: Path, settings: Settings) -> tuple[Manifest, list[Problem]]:
    if settings.template:
        found = template.defaults(settings.template, with_patient=settings.template_patient)
        settings = replace(settings, defaults=(*settings.defaults, *found))
    rows = manifest.resolve(manifest.read(path, settings), settings, iods.BY_NAME, iods.DEFAULT)
    return rows, manifest.check(rows, _images_root(path, settings), iods.BY_UID, iods.REFUSED)


def _invalid(rows: Manifest, errors: Sequence[Problem]) -> list[Failed]:
    """Return the rows that the preflight found at fault, each with all of its problems."""
    whole = [problem for problem in errors if problem.lines in {(), (1,)}]
    if whole:
        # A problem of the header is every row's, so there is nothing left to skip to.
        msg = f"--skip-invalid can't skip a problem of the whole manifest: {whole[0]}"
        raise ManifestError(msg, errors)
    ordinals = {int(line): ordinal for ordinal, line in enumerate(rows.lines)} if errors else {}
    objects = {ordinal: members for members in rows.frames.values() for ordinal in members}
    found: dict[int, list[str]] = {}
    for problem in errors:
        for line in problem.lines:
            about = f"column {problem.column}: " if problem.column else ""
            for ordinal in objects.get(ordinals[line], (ordinals[line],)):  # a frame at fault is the whole object's
                found.setdefault(ordinal, []).append(about + problem.what)
    return [
        Failed(ordinal=ordinal, stage="check", error="ManifestError", message=" | ".join(messages))
        for ordinal, messages in sorted(found.items())
    ]


def _frame(rows: Manifest, ledger: Ledger) -> Any:
    source, output = rows.column("source"), rows.column("output")
    return frame_of(
        rows.lines.tolist(),
        [source.values[code] for code in source.codes],
        [output.values[code] for code in output.codes],
        ledger.outcomes(),
        CONTENT,
    )
