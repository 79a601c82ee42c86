"""The entry point: ``python -m bulkdcm``, and the command of that name. It imports next to nothing before Ctrl-C is seen to."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` imports enum, which takes long enough to press Ctrl-C in
import os

from bulkdcm import interrupts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_INTERRUPTED = 130


def _end() -> None:
    try:  # noqa: SIM105  # contextlib would be one more import
        os.write(2, b"interrupted\n")
    except OSError:
        pass
    os._exit(_INTERRUPTED)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt; amid an import, where that may become another error, end at once."""
    del signum
    if interrupts.must_wait(frame):
        _end()
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else the caller wants it ignored
            signal.signal(signal.SIGINT, _interrupt)
        from bulkdcm.cli import main as run  # noqa: PLC0415  # click takes a while, in which people press Ctrl-C

        run()
    except KeyboardInterrupt:
        _end()


if __name__ == "__main__":
    main()
