"""What every benchmark shares: a command's wall time and memory, the machine's facts, and the results file."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bulkdcm.bench.machine import machine

RESULTS = Path(__file__).parent / "results"
# A process's peak memory includes what it had before exec, so a small process has to start it.
_STARTER = (
    "import resource, subprocess, sys; code = subprocess.call(sys.argv[2:]); "
    "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
    "open(sys.argv[1], 'w').write(f'{used.ru_maxrss} {used.ru_utime + used.ru_stime}'); sys.exit(code)"
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run of a command."""

    wall_s: float
    cpu_s: float
    """Of all its processes."""
    peak_mb: float
    """Of the largest of its processes."""
    returncode: int
    output: str


def run(*command: object, **options: Any) -> Measured:
    """Run a command to its end and measure it."""
    with tempfile.NamedTemporaryFile("r") as file:
        words = [sys.executable, "-c", _STARTER, file.name, *map(str, command)]
        began = time.perf_counter()
        done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
        wall_s = time.perf_counter() - began
        peak_kb, cpu_s = map(float, file.read().split())
        return Measured(
            wall_s=round(wall_s, 3),
            cpu_s=round(cpu_s, 3),
            peak_mb=round(peak_kb / 1024, 1),
            returncode=done.returncode,
            output=done.stdout + done.stderr,
        )


def bulkdcm(*arguments: object, **options: Any) -> Measured:
    """Run bulkdcm in a process of its own; it has to succeed."""
    done = run(sys.executable, "-m", "bulkdcm", *arguments, **options)
    if done.returncode:
        raise RuntimeError(done.output)
    return done


def save(name: str, figures: dict[str, Any]) -> Path:
    """Write figures with the machine's facts to ``results/NAME.json``; return its path."""
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n", encoding="utf-8")
    return path
