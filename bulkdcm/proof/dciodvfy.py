"""What dciodvfy says of a file, if it is installed: David Clunie's validator, which knows all that we don't."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from bulkdcm.proof.kinds import DCIODVFY, UNPROVEN, Found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LIMIT_S = 60


def errors(program: str, path: Path) -> Iterator[Found]:
    """Yield the errors that it finds in a file."""
    try:
        done = subprocess.run(  # noqa: S603  # what `which` found, and a file of the ledger
            [program, "-new", path], capture_output=True, text=True, errors="replace", check=False, timeout=_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        yield Found(UNPROVEN, "dciodvfy", f"no answer in {_LIMIT_S} s")
        return
    for line in (done.stdout + done.stderr).splitlines():
        if line.startswith("Error"):
            yield Found(DCIODVFY, "file", line.removeprefix("Error - "))
