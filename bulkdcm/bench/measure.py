"""One configuration after another, each run in a process of its own, cold and warm."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkdcm import system
from bulkdcm.bench import floor
from bulkdcm.bench.bound import Used, bound_by
from bulkdcm.conversion import api
from bulkdcm.engines import ENGINES, cores
from bulkdcm.errors import SettingsError
from bulkdcm.stores import archives

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bulkdcm.bench.configurations import Configuration
    from bulkdcm.settings import Settings
    from bulkdcm.watch import Progress

_NEAR = 0.97  # of the fastest: what is as good


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one configuration took.

    Attributes
    ----------
    configuration
        What was tried.
    cold_images_per_s
        With the images read from the disk; 0 where this system can't forget a file.
    images_per_s
        Median of the repeats, with the images in memory.
    floor_images_per_s
        What as many processes make that do only what nobody can do without (`bench.floor`); 0 where workers aren't here.
    spread
        Between the slowest and the fastest repeat, as a share of the median.
    source_mb_per_s, output_mb_per_s
        Read and written, of the median.
    stage_shares
        Of the workers' time, by stage.
    bound_by
        What held the median run back, as `bound.bound_by` says it.
    worker_mb, parent_mb
        Largest memory that a worker and the run's own process had; 0 where this system doesn't tell.
    efficiency
        Images/s of a worker against that of one worker alone with the same other settings; 0 where that was not tried.
    failed
        Rows of the sample that failed.
    """

    configuration: Configuration
    cold_images_per_s: float
    images_per_s: float
    floor_images_per_s: float
    spread: float
    source_mb_per_s: float
    output_mb_per_s: float
    stage_shares: dict[str, float]
    bound_by: str
    worker_mb: float
    parent_mb: float
    efficiency: float
    failed: int


def bench(  # noqa: PLR0913  # each is an option
    path: Path,
    settings: Settings,
    configurations: Sequence[Configuration],
    *,
    place: Path | None = None,
    repeats: int = 3,
    null: bool = False,
) -> Iterator[Measurement]:
    """Yield the measurement of each configuration.

    Parameters
    ----------
    path
        The manifest.
    settings
        Of every run, but for what the configurations say; its `sample` is how many rows are run.
    configurations
        What to try, in this order; for `efficiency` one worker before several.
    place
        Where a temporary folder for the outputs is made; None for the system's.
    repeats
        Warm runs of each.
    null
        Do all but write the outputs.

    Raises
    ------
    RunError
        As `convert`.
    """
    alone: dict[tuple[int, str, str], float] = {}
    floors: dict[int, float] = {}
    with tempfile.TemporaryDirectory(dir=place, prefix="bulkdcm-bench-") as folder:
        # Nothing is removed before the end: ext4 passes over freed inodes one by one for minutes.
        outs = (Path(folder, str(number)) for number in range(len(configurations) * (repeats + 2) + 1))
        sources = _run(path, next(outs), configurations[0].of(settings), null=null)["sources"]
        _refuse_members(sources)
        for configuration in configurations:
            wanted = configuration.of(settings)
            cold = [_run(path, next(outs), wanted, null=null)] if system.forget_files(sources) else []
            warm = [_run(path, next(outs), wanted, null=null) for _ in range(repeats)]
            key = (configuration.chunk_size, configuration.backend, configuration.transfer_syntax)
            jobs = configuration.n_jobs
            if jobs not in floors:
                floors[jobs] = len(sources) / floor.seconds_of(sources, next(outs), jobs) if jobs else 0.0
            found = _measurement(configuration, cold, warm, alone.get(key, 0.0), floors[jobs])
            if configuration.n_jobs == 1:
                alone[key] = found.images_per_s
            yield found


def _refuse_members(sources: Sequence[str]) -> None:
    """Refuse images in archives, which the floor can't read."""
    for source in sources:
        if archives.split(source) and not Path(source).exists():
            msg = f"{source}: the bench compares with programs that read files. Unpack the archive, and name the files."
            raise SettingsError(msg)


def recommended(found: Sequence[Measurement]) -> Measurement:
    """Return the fastest; of those as good, the one with the fewest workers, the run's own choice of chunks, and processes.

    Threads die together where a decoder crashes.
    """
    best = max(one.images_per_s for one in found)
    near = [one for one in found if one.images_per_s >= _NEAR * best]

    def order(one: Measurement) -> tuple[Any, ...]:
        chosen = one.configuration
        return chosen.n_jobs, chosen.chunk_size, not ENGINES[chosen.backend].names_the_row, -one.images_per_s

    return min(near, key=order)


def _measurement(
    configuration: Configuration,
    cold: Sequence[dict[str, Any]],
    warm: Sequence[dict[str, Any]],
    alone: float,
    floor_images_per_s: float,
) -> Measurement:
    rates = [run["images_per_s"] for run in warm]
    median = statistics.median_low(rates)
    typical = warm[rates.index(median)]
    return Measurement(
        configuration=configuration,
        cold_images_per_s=cold[0]["images_per_s"] if cold else 0.0,
        images_per_s=median,
        floor_images_per_s=round(floor_images_per_s, 1),
        spread=round((max(rates) - min(rates)) / median, 3) if median else 0.0,
        source_mb_per_s=typical["source_mb_per_s"],
        output_mb_per_s=typical["output_mb_per_s"],
        stage_shares=typical["stage_shares"],
        bound_by=bound_by(typical["used"]),
        worker_mb=max(run["worker_mb"] for run in warm),
        parent_mb=max(run["parent_mb"] for run in warm),
        efficiency=round(median / configuration.n_jobs / alone, 3)
        if alone and configuration.n_jobs
        else float(configuration.n_jobs == 1),
        failed=typical["failed"],
    )


def _run(path: Path, out: Path, settings: Settings, *, null: bool) -> dict[str, Any]:
    """Run once, in a new process: nothing is imported yet, and its memory is its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as alone:
        return alone.submit(_run_here, path, out, settings, null=null).result()


def _run_here(path: Path, out: Path, settings: Settings, *, null: bool) -> dict[str, Any]:
    peaks = {0: 0}
    began, first_s = time.perf_counter(), 0.0

    def look(progress: Progress) -> None:
        nonlocal first_s
        first_s = first_s or (time.perf_counter() - began if progress.converted + progress.failed else 0.0)
        for pid in system.children():
            peaks[pid] = system.peak_memory_bytes(pid)

    call = api.rehearse if null else api.convert
    report = call(path, out, settings, progress=look)
    elapsed_s = time.perf_counter() - began
    root = settings.images or path.parent
    ran = report.table.iloc[list(report.ran)]
    parent_mb = system.peak_memory_bytes(os.getpid()) / 1e6
    engine = ENGINES[settings.backend]
    in_processes, own_cpu_s = engine.names_the_row, time.process_time()
    summary = report.summary()
    used = Used(
        elapsed_s=elapsed_s,
        first_s=first_s,
        parent_cpu_s=own_cpu_s if in_processes else 0.0,
        workers_cpu_s=system.children_cpu_s() if in_processes else own_cpu_s,
        workers=report.n_jobs if engine.same_machine else 0,
        cores=cores(),
        stage_shares=summary["stage_shares"],
    )
    return {
        **summary,
        "used": used,
        "failed": int((ran["status"] == "failed").sum()),
        "sources": [str(root / source) for source in ran["source"]],
        "worker_mb": round(max(peaks.values()) / 1e6 if in_processes else parent_mb, 1),
        "parent_mb": round(parent_mb, 1),
    }
