"""What can be asked for in Python. It imports little: workers start while all that a run needs is imported here, too."""

from __future__ import annotations

import contextlib
import os
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from bulkdcm.engines import ENGINES, Workers
from bulkdcm.ledger.files import FOLDER
from bulkdcm.settings import Settings, local_path
from bulkdcm.watch import watched

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bulkdcm.conversion.verification import Wanted
    from bulkdcm.model import Given, ManifestRow, Problem
    from bulkdcm.proof.verification import Verification
    from bulkdcm.report import Report
    from bulkdcm.watch import Progress

_BEGINNING_BYTES = 65_536  # of a manifest, in which a short one is whole
_WORKS = "bulkdcm.conversion.chunk"  # imports all that workers need


def check(path: Given, settings: Settings | None = None, *, read: bool = False, **options: Any) -> list[Problem]:
    """Return every problem of a manifest without converting anything; errors come first.

    Parameters
    ----------
    path
        The manifest, as for `convert`.
    settings
        Options; or give them by name, as ``check("m.csv", images="png/")``.
    read
        Read every image, too, as a run would: what is damaged or missing, and what its SOP class can't be.

    Raises
    ------
    ManifestError
        If the file can't be read as a manifest at all.
    """
    return checked(path, 0, settings, read=read, **options)[0]


def checked(
    path: Given, count: int, settings: Settings | None = None, *, read: bool = False, **options: Any
) -> tuple[list[Problem], list[ManifestRow]]:
    """Return every problem of a manifest, and its first rows as they will be written.

    Parameters
    ----------
    path, settings, read
        As for `check`.
    count
        How many rows.
    """
    from bulkdcm import manifest
    from bulkdcm.conversion import run

    settings = settings or Settings.of(**options)
    rows, problems = run.examined(path, settings) if read else run.checked(path, settings)
    return problems, manifest.part(rows, range(min(count, len(rows)))).rows()


def plan(path: Given, out: str | Path, settings: Settings | None = None, **options: Any) -> dict[str, int]:
    """Return how many rows `convert` would run by reason (``done`` for those it wouldn't), and do nothing.

    Parameters
    ----------
    path, out, settings
        As for `convert`.
    """
    from bulkdcm.conversion import run

    return run.plan(path, out, settings or Settings.of(**options))


def convert(
    path: Given,
    out: str | Path,
    settings: Settings | None = None,
    *,
    progress: bool | Callable[[Progress], None] = False,
    keep_rows: bool = True,
    **options: Any,
) -> Report:
    """Convert every row of a manifest that is not done yet, and return the report on all of them.

    Parameters
    ----------
    path
        The manifest: a file, ``-`` for the standard input, or a pandas DataFrame, whose sources are relative to `images`, or
        to the current folder.
    out
        The output folder; made where it is missing.
    settings
        Options; or give them by name, as ``convert("m.csv", "dicom/", n_jobs=8)``.
    progress
        True shows how far the run has come: a bar on a terminal and in a notebook, else a line now and then. A function is
        called in this process after each chunk.
    keep_rows
        Whether ``report.table`` may be asked for; without it, a million rows take some 0.3 GB less.

    Returns
    -------
    Report
        ``report.table`` has one line for each row of the manifest, converted or not.

    Raises
    ------
    SettingsError
        If an option can't be used.
    ManifestError
        If the manifest has problems; nothing has been written then.
    BusyError
        If another run is at the same output folder.
    StorageError, LedgerError
        Where the output folder can't be written; what was finished is kept, and the same call goes on.
    """
    settings = settings or Settings.of(**options)
    with _workers_starting(path, out, settings), watched(progress) as on_progress:
        from bulkdcm.conversion import run

        return run.run(path, out, settings, run.Way(on_progress, keep_rows))


def rebuild(
    path: Given,
    out: str | Path,
    settings: Settings | None = None,
    *,
    progress: bool | Callable[[Progress], None] = False,
    keep_rows: bool = True,
    **options: Any,
) -> Report:
    """Make a lost or damaged ledger anew from the outputs, writing no output.

    Each row is converted in memory, and where its output holds the very same bytes it is done; nothing is guessed. The
    other rows are left for `convert`. An old ledger is kept beside the new one.

    Parameters
    ----------
    path, out, settings, progress, keep_rows
        As for `convert`.
    """
    settings = settings or Settings.of(**options)
    with _workers_starting(path, out, settings), watched(progress) as on_progress:
        from bulkdcm.conversion import run

        return run.rebuild(path, out, settings, run.Way(on_progress, keep_rows))


def verify(
    out: str | Path,
    manifest: Given | None = None,
    settings: Settings | None = None,
    *,
    wanted: Wanted | None = None,
    **options: Any,
) -> Verification:
    """Prove what a run has written, or check DICOM files that no run knows against themselves.

    With a ledger beside the files each of them is compared with what was recorded, its row of the manifest and its source:
    bytes, UIDs, values, and pixels decoded anew by another decoder. Without one, see `bulkdcm.validation`.

    Parameters
    ----------
    out
        The output folder.
    manifest
        As for `convert`, and then with its options; None for the one that the ledger knows, and the options that it had.
    settings
        Options, as for `convert`; or give them by name. `sample` looks at so many files only.
    wanted
        What else is to be looked at; or give ``sources``, ``dciodvfy``, ``again`` and ``progress`` by name.

    Returns
    -------
    Verification
        Also written to ``OUT/verify.json``, if there is a ledger.

    Raises
    ------
    SettingsError
        If an option can't be used, or nothing is there to be verified.
    BusyError
        If a run is at the output folder.
    LedgerError
        If the ledger is damaged.
    """
    from bulkdcm.conversion import verification

    named = {field.name: options.pop(field.name) for field in fields(verification.Wanted) if field.name in options}
    wanted = replace(wanted or verification.Wanted(), **named)
    return verification.verify(local_path("verify", out), manifest, settings or Settings.of(**options), wanted)


def rehearse(
    path: Given,
    out: str | Path,
    settings: Settings | None = None,
    *,
    progress: bool | Callable[[Progress], None] = False,
    keep_rows: bool = True,
    **options: Any,
) -> Report:
    """Do all that `convert` does but write the outputs: what is left of its time is not the storage's.

    Parameters
    ----------
    path, out, settings, progress, keep_rows
        As for `convert`; `out` gets a ledger and a report, and should be a folder of its own.
    """
    settings = settings or Settings.of(**options)
    with _workers_starting(path, out, settings), watched(progress) as on_progress:
        from bulkdcm.conversion import run

        return run.rehearse(path, out, settings, run.Way(on_progress, keep_rows))


def _workers_starting(path: Given, out: str | Path, settings: Settings) -> AbstractContextManager[None]:
    """Have processes start at once, if it is likely that each of them will have something to do."""
    engine = ENGINES[settings.backend]
    if not engine.names_the_row or settings.selects or (local_path("--out", out) / FOLDER).exists():
        return contextlib.nullcontext()
    chunks = -(-_lines_at_most(path) // max(1, settings.chunk_size))
    count = min(chunks, engine.workers(settings.n_jobs, settings.scheduler))
    return engine.started(Workers(count=count, loads=_WORKS)) if count else contextlib.nullcontext()


def _lines_at_most(given: Given) -> int:
    """Return how many rows a manifest has at most; 0 if it can't be read, and a large number for a long one."""
    if not isinstance(given, (str, os.PathLike)):
        return len(given)
    path = local_path("manifest", given)
    if not path.is_file():  # opening a FIFO would wait for who writes into it
        return 0
    with contextlib.suppress(OSError), path.open("rb") as file:
        beginning = file.read(_BEGINNING_BYTES)
        return beginning.count(b"\n") if len(beginning) < _BEGINNING_BYTES else _BEGINNING_BYTES
    return 0
