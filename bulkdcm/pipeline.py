"""The whole story of a run on one page: manifest, preflight, chunks, ledger, report."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkdcm import iods, manifest, parallel, storage, uids
from bulkdcm.errors import ManifestError, SettingsError, StorageError
from bulkdcm.ledger import COLUMNS as LEDGER_COLUMNS
from bulkdcm.ledger import Ledger
from bulkdcm.model import Failed
from bulkdcm.report import Report, frame_of
from bulkdcm.settings import Settings
from bulkdcm.worker import Context, convert_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bulkdcm.manifest import Manifest
    from bulkdcm.model import ManifestRow, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come, in rows."""

    rows: int
    converted: int = 0
    failed: int = 0


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


def convert(
    path: str | Path,
    out: str | Path,
    settings: Settings | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    **options: Any,
) -> Report:
    """Convert every row of a manifest and return the report.

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
    StorageError, LedgerError
        Where the output folder can't be written; what was finished is kept.
    """
    settings = settings or Settings.of(**options)
    started = time.perf_counter()
    rows, problems = _checked(Path(path), settings)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors and not settings.skip_invalid:
        msg = f"{path}: {len(errors)} problem{'s' if len(errors) > 1 else ''} found, nothing written."
        raise ManifestError(msg, problems)
    context = Context(
        settings=settings,
        images=_images_root(Path(path), settings),
        out=str(out),
        uid_key=uids.read_key(settings.uid_key_file),
    )
    folder = Path(out)
    storage.prepare(folder)
    ledger = Ledger(folder)
    try:
        ledger.begin()
        stopped, interrupted = _run(rows, errors, context, ledger, on_progress)
        report = Report(
            frame=_frame(rows, ledger),
            warnings=tuple(problem for problem in problems if problem.severity == "warning"),
            elapsed_s=time.perf_counter() - started,
            n_jobs=1 if settings.backend == "sequential" else parallel.workers(settings.n_jobs),
            interrupted=interrupted,
        )
        if stopped:
            raise StorageError(stopped)
        report.write(folder)
    finally:
        ledger.close()
    return report


def _images_root(path: Path, settings: Settings) -> str:
    root = settings.images or path.parent
    if not root.is_dir():
        msg = f"--images {root}: no such folder. Name the folder that the source column is relative to."
        raise SettingsError(msg)
    return os.path.realpath(root)


def _checked(path: Path, settings: Settings) -> tuple[Manifest, list[Problem]]:
    rows = manifest.resolve(manifest.read(path, settings), settings, iods.BY_NAME, iods.DEFAULT)
    return rows, manifest.check(rows, _images_root(path, settings), iods.BY_UID)


def _run(
    rows: Manifest,
    errors: Sequence[Problem],
    context: Context,
    ledger: Ledger,
    on_progress: Callable[[Progress], None] | None,
) -> tuple[str, bool]:
    """Convert what can be converted; return why the run stopped (empty: it didn't) and whether it was interrupted."""
    settings = context.settings
    invalid = _invalid(rows, errors)
    ledger.record(invalid)
    done = Progress(rows=len(rows), failed=len(invalid))
    skip = {outcome.ordinal for outcome in invalid}
    todo = [ordinal for ordinal in range(len(rows)) if ordinal not in skip]
    size = parallel.chunk_size(len(todo), settings.n_jobs, settings.chunk_size)
    results = parallel.run_chunks(
        partial(convert_chunk, context=context),
        _chunks(rows, todo, size),
        n_jobs=settings.n_jobs,
        backend=settings.backend,
    )
    try:
        for result in results:
            ledger.record(result.outcomes)
            failed = sum(isinstance(outcome, Failed) for outcome in result.outcomes)
            done = Progress(
                rows=done.rows,
                converted=done.converted + len(result.outcomes) - failed,
                failed=done.failed + failed,
            )
            if on_progress:
                on_progress(done)
            if result.stopped or (failed and settings.fail_fast):
                return result.stopped, False
    except KeyboardInterrupt:
        return "", True
    return "", False


def _chunks(rows: Manifest, ordinals: Sequence[int], size: int) -> Iterator[tuple[ManifestRow, ...]]:
    for start in range(0, len(ordinals), size):
        yield tuple(manifest.rows(rows, ordinals[start : start + size]))


def _invalid(rows: Manifest, errors: Sequence[Problem]) -> list[Failed]:
    """Return the rows that the preflight found at fault, each with all of its problems."""
    whole = [problem for problem in errors if problem.lines in {(), (1,)}]
    if whole:
        # A problem of the header is every row's, so there is nothing left to skip to.
        msg = f"--skip-invalid can't skip a problem of the whole manifest: {whole[0]}"
        raise ManifestError(msg, errors)
    ordinals = {int(line): ordinal for ordinal, line in enumerate(rows.lines)} if errors else {}
    found: dict[int, list[str]] = {}
    for problem in errors:
        for line in problem.lines:
            about = f"column {problem.column}: " if problem.column else ""
            found.setdefault(ordinals[line], []).append(about + problem.what)
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
        list(LEDGER_COLUMNS),
    )
