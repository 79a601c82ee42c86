"""Where a signal must not raise an error. It imports nothing itself, as the entry point needs it before all else."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_IMPORT, _LOKY = "<frozen importlib", "loky"
_STARTS = {"__init__", "_ensure_executor_running", "_launch"}  # of loky; none of them waits for a worker's work


def must_wait(frame: FrameType | None) -> bool:
    """Whether an import or the start of a worker is on the stack.

    An error raised amid an import may leave its locks held, for which other threads wait for ever, and both turn it into
    errors of their own.
    """
    while frame:
        code = frame.f_code
        if code.co_filename.startswith(_IMPORT) or (code.co_name in _STARTS and _LOKY in code.co_filename):
            return True
        frame = frame.f_back
    return False
