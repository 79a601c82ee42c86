"""One error tree: a `RunError` ends the run and has its exit code, a `RowError` is recorded on its row."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, ClassVar, Literal

from bulkdcm.printable import visible
from bulkdcm.problem import gathered
from bulkdcm.surface import in_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bulkdcm.problem import Problem

_PROBLEMS_SHOWN = 3
Stage = Literal["check", "read", "decode", "build", "encode", "verify", "store", "crashed", "timeout", "unexpected"]
"""Where a row fails."""


EXIT_CODES = {
    0: "every row is converted",
    1: "some rows failed, the others are converted; `verify`: something was found",
    2: "an option can't be used",
    3: "the manifest has problems; nothing was written",
    4: "the ledger, or the folder `OUT/.bulkdcm` and its lock, can't be used",
    5: "the output folder, the standard output, the temporary folder or the shared memory can't be written (a full disk, say), "
    "or the output folder went away; what was finished is kept",
    6: "the dask cluster can't be used, or is gone; what was finished is kept",
    75: "another run is at this output folder, or has this ledger",
    130: "interrupted (Ctrl-C); what was finished is kept",
    143: "ended by SIGTERM; what was finished is kept",
}
"""What each exit code means."""


class BulkdcmError(Exception):
    """Base of every error that bulkdcm raises on purpose.

    Arguments are positional, so that each error crosses a process boundary by pickle unharmed.
    """


class RunError(BulkdcmError):
    """Ends the whole run.

    Messages are written with the command line's options. ``str`` speaks of arguments, as a caller in Python gives them;
    the command line prints `message`.
    """

    exit_code: ClassVar[int] = 2

    @property
    def message(self) -> str:
        """What is wrong and what to do, with options."""
        return str(self.args[0]) if self.args else ""

    def __str__(self) -> str:
        return visible(in_arguments(self.message))


class SettingsError(RunError):
    """An option has a value that can't be used."""

    exit_code = 2


class ManifestError(RunError):
    """The manifest can't be read, or the preflight found problems in it.

    Parameters
    ----------
    message
        What is wrong and what to do; of problems, how many.
    problems
        Every problem found, gathered by cause, each with its lines, column, values and rule. ``str`` shows the first.
    """

    exit_code = 3

    def __init__(self, message: str, problems: Iterable[Problem] = ()) -> None:
        self.problems = gathered(problems)
        super().__init__(message, self.problems)

    @classmethod
    def of(cls, path: Path, problems: Iterable[Problem]) -> ManifestError:
        """Return the error of a manifest that has `problems`."""
        found = gathered(problems)
        errors = sum(problem.severity == "error" for problem in found)
        return cls(f"{path}: {errors:,} problem{'s' if errors > 1 else ''} found, nothing written.", found)

    def __str__(self) -> str:
        shown = sorted(self.problems, key=lambda problem: problem.severity)[:_PROBLEMS_SHOWN]
        more = len(self.problems) - len(shown)
        rest = [f"… and {more:,} more in `problems`"] if more else []
        return "\n".join([super().__str__(), *map(str, shown), *rest])


class LedgerError(RunError):
    """The run's ledger can't be opened, read or written."""

    exit_code = 4


class StorageError(RunError):
    """The output folder can't be written; nothing finished so far is lost."""

    exit_code = 5


class ClusterError(RunError):
    """The cluster of ``--backend dask`` can't be used, or is gone; nothing finished so far is lost."""

    exit_code = 6


class BusyError(RunError):
    """Another run is at the same output folder."""

    exit_code = 75


class Terminated(KeyboardInterrupt):
    """The run was asked to end by SIGTERM."""


DISK_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
"""What the system says of a disk that is full, failing or read-only."""


def of_system(error: OSError, path: object, deed: str) -> RunError:
    """Return the error of a run's own file that the system refused: `StorageError` if it is the disk's fault.

    Parameters
    ----------
    error
        What the system said.
    path
        The file or folder.
    deed
        What can't be done with it, as ``made``.
    """
    said = f"{path}: can't be {deed}: {error.strerror or error}."
    if error.errno in DISK_FAULTS:
        return StorageError(f"{said} Make room or mend the disk, then run the same command again.")
    return LedgerError(f"{said} Check its permissions, or use another --out.")


class RowError(BulkdcmError):
    """Fails one row; the others go on."""

    stage: ClassVar[Stage] = "unexpected"


class ReadError(RowError):
    """The source is missing, not a regular file, outside the image root, or not the bytes expected."""

    stage: ClassVar[Stage] = "read"


class PixelError(RowError):
    """The source was read, but its pixels can't be had exactly as the settings ask."""

    stage: ClassVar[Stage] = "decode"


class AttributeValueError(RowError):
    """A manifest value breaks a rule of the Standard."""

    stage: ClassVar[Stage] = "build"


class EncodeError(RowError):
    """The dataset can't be encoded in the transfer syntax asked for."""

    stage: ClassVar[Stage] = "encode"


class VerificationError(RowError):
    """With ``--verify``: what was made isn't what the row and its source say, so it is not kept."""

    stage: ClassVar[Stage] = "verify"


class StoreError(RowError):
    """One row's output can't be stored, for a reason of its own (a full disk is a `StorageError`)."""

    stage: ClassVar[Stage] = "store"


class OccupiedError(StoreError):
    """Another file has the name of the row's output, and stays."""
