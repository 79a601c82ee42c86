"""Where the processors' time goes, in all processes of a run: `python -m benchmarks.profiles`.

py-spy (`pip install py-spy`), which needs leave to trace processes, looks at each of them a hundred times a second while the
real command runs. Beside the results of `throughput` stands for each workload how much of the samples the run's own process
and its workers had, and the functions that they were in.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from benchmarks import measure, throughput

_RATE = 100
_FUNCTIONS = 25
_LINE = re.compile(r":\d+\)$")
_WORKER = "popen_loky"


class Samples(NamedTuple):
    """What was seen of one kind of process."""

    own: Counter[str]
    """By function, of the one that was at work."""
    below: Counter[str]
    """By function, with all that it called."""


def samples_of(raw: str) -> dict[str, Samples]:
    """Return samples by the kind of process they are of.

    Parameters
    ----------
    raw
        Lines as ``process 1:"…";outer (a.py:1);inner (b.py:2) 17``, as py-spy writes them.
    """
    found = {kind: Samples(Counter(), Counter()) for kind in ("the run's own process", "workers")}
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        processes = [frame for frame in frames if frame.startswith("process ")]
        functions = [_LINE.sub(")", frame) for frame in frames if not frame.startswith("process ")]
        worker = any(_WORKER in process for process in processes)
        if functions and (worker or len(processes) == 1):  # else joblib's resource tracker
            samples = found["workers" if worker else "the run's own process"]
            samples.own[functions[-1]] += int(count)
            samples.below.update(dict.fromkeys(functions, int(count)))
    return found


def text_of(found: dict[str, Samples]) -> str:
    """Return samples as a person reads them."""
    total = sum(samples.own.total() for samples in found.values())
    lines = []
    for kind, samples in found.items():
        lines.append(f"{kind}: {samples.own.total() / total:.0%} of {total} samples")
        for title, functions in (("itself", samples.own), ("with what it calls", samples.below)):
            lines.append(f"  {title}")
            lines += [
                f"    {count / total:6.1%}  {name}" for name, count in functions.most_common(_FUNCTIONS) if count > 1
            ]
    return "\n".join(lines) + "\n"


def profile(name: str, scale: float, spy: str) -> str:
    """Return the profile of one workload as text."""
    work = throughput.WORKLOADS[name]
    count = max(8, int(work.count * scale))
    with tempfile.TemporaryDirectory(dir=throughput.MEMORY if throughput.MEMORY.is_dir() else None) as folder:
        root = Path(folder)
        manifest = throughput.write_manifest(work.make(root / "in", count, throughput.real()), root)
        raw = root / "raw"
        command = [spy, "record", "--subprocesses", "--rate", _RATE, "--format", "raw", "--output", raw, "--"]
        command += [sys.executable, "-m", "bulkdcm", "convert", manifest, "--out", root / "out", "--n-jobs", 2]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return f"{name}, {count:,} images, in memory\n" + text_of(samples_of(raw.read_text(encoding="utf-8")))


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of images")
    parser.add_argument("--no-save", action="store_true", help="only print")
    asked = parser.parse_args()
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if spy is None:
        print("left out: py-spy is missing (pip install py-spy)")
        return
    for name in throughput.WORKLOADS:
        text = profile(name, asked.scale, spy)
        print(text, flush=True)
        if not asked.no_save:
            path = measure.RESULTS / f"profile {name.replace(',', '')}.txt".replace(" ", "_")
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
