"""The real command in a process of its own, without its imports each time.

Of a short run, three quarters are imports. So what a test runs to its end is forked from a process that has imported the
package; all after that, to the end of the interpreter, is as in a process that was started. What is started with
variables that Python reads at its start has a process of its own to be forked from, beginning with its second run.
`BULKDCM_TESTS=started` starts each process anew, as `make lowest` does.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from tests.systems import WINDOWS

ROOT = Path(__file__).parents[1]
FORKS = not WINDOWS and hasattr(socket, "send_fds") and os.environ.get("BULKDCM_TESTS") != "started"
# Variables of such names are read before any of our code runs.
_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "OMP_", "OPENBLAS_")
_LATER = ("__main__", "engines.cluster")  # the cluster's own package takes longer than all others
_NUMBER = struct.Struct("=q")
_origins: dict[frozenset[tuple[str, str]], Origin | None] = {}
_one_at_a_time = threading.Lock()


def run(*arguments: object, fork: bool = FORKS, **options) -> subprocess.CompletedProcess[str]:
    """Run ``bulkdcm`` to its end and return what it said; the other options are those of `subprocess.run`."""
    command = [sys.executable, "-m", "bulkdcm", *map(str, arguments)]
    options = {"encoding": "utf-8", "timeout": 900, **options}
    if fork and options.keys() <= {"encoding", "timeout", "env", "cwd"}:
        with _one_at_a_time:
            if origin := _origin_of(options.get("env", os.environ)):
                return origin.run(command, **options)
    return subprocess.run(command, capture_output=True, check=False, **options)


def _origin_of(environment) -> Origin | None:
    """Return what to fork from in an environment, or None at its first use."""
    key = frozenset(one for one in environment.items() if one[0].startswith(_AT_START))
    if key not in _origins:
        _origins[key] = None
    elif _origins[key] is None:
        _origins[key] = Origin(environment)
    return _origins[key]


class Origin:
    """A process that has imported the package, and is forked for each run."""

    def __init__(self, environment) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.command", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd=ROOT,
                env=dict(environment),
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self._end)

    def _end(self) -> None:
        self._ours.close()
        self._process.wait()

    def run(self, command: list[str], timeout: float, encoding: str, env=None, cwd=None):
        """Run the command in a fork; files take what it says, so nobody has to read meanwhile."""
        with contextlib.ExitStack() as files:
            asked, said, erred = (files.enter_context(tempfile.TemporaryFile()) for _ in range(3))
            nothing = files.enter_context(Path(os.devnull).open("rb"))
            umask = os.umask(0)
            os.umask(umask)
            place = str(Path(cwd or ".").absolute())
            asked.write(json.dumps([command[3:], place, umask, dict(env or os.environ)]).encode())
            asked.seek(0)
            socket.send_fds(self._ours, [b"!"], [one.fileno() for one in (asked, nothing, said, erred)])
            pid = self._number()
            self._ours.settimeout(timeout)
            try:
                code = self._number()
            except TimeoutError:
                os.kill(pid, 9)
                self._ours.settimeout(None)
                self._number()
                raise subprocess.TimeoutExpired(command, timeout) from None
            self._ours.settimeout(None)
            return subprocess.CompletedProcess(command, code, _text(said, encoding), _text(erred, encoding))

    def _number(self) -> int:
        found = self._ours.recv(_NUMBER.size, socket.MSG_WAITALL)
        assert len(found) == _NUMBER.size, "the process that runs are forked from is gone"
        return _NUMBER.unpack(found)[0]


def _text(file: IO[bytes], encoding: str) -> str:
    file.seek(0)
    return file.read().decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def _serve(connection: socket.socket) -> bool:
    """Fork for each request; return True in the fork, False at the end of the requests."""
    while True:
        word, files, _, _ = socket.recv_fds(connection, 1, 4)
        if not word:
            return False
        pid = os.fork()
        if not pid:
            connection.close()
            _become(*files)
            return True
        for file in files:
            os.close(file)
        connection.sendall(_NUMBER.pack(pid))
        connection.sendall(_NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))


def _become(asked: int, *streams: int) -> None:
    """Take on all that a started process would have."""
    with open(asked, "rb") as file:
        sys.argv[1:], sys.path[0], umask, environment = json.load(file)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.umask(umask)
    os.chdir(sys.path[0])
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


def _prepare() -> None:
    """Do once what each run does before it looks at its arguments, or would do alike in each."""
    import bulkdcm  # noqa: PLC0415  # not in the tests' own process

    for module in pkgutil.walk_packages(bulkdcm.__path__, "bulkdcm."):
        if not module.name.endswith(_LATER):
            with contextlib.suppress(ImportError):
                importlib.import_module(module.name)
    pages = bulkdcm.report.html.page.template().environment
    for name in pages.list_templates():
        pages.get_template(name)
    gc.collect()
    gc.freeze()  # else each fork copies every page of memory as it ends


def main() -> None:
    """Serve; in a fork, run the command."""
    _prepare()
    if _serve(socket.socket(fileno=int(sys.argv[1]))):
        runpy.run_module("bulkdcm", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
