"""What a run waited for most: what more of would make it faster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_BUSY = 0.8  # of what there is: nothing has time to spare
_START = 0.5  # of the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a run used.

    Attributes
    ----------
    elapsed_s
        From its start to its report.
    first_s
        Until the first rows were done.
    parent_cpu_s, workers_cpu_s
        Processor time of the run's own process, and of its workers; where they are one process it is the workers'.
    workers, cores
        How many there were.
    stage_shares
        Of the workers' time, by stage.
    """

    elapsed_s: float
    first_s: float
    parent_cpu_s: float
    workers_cpu_s: float
    workers: int
    cores: int
    stage_shares: Mapping[str, float]


def bound_by(used: Used) -> str:
    """Return what held a run back.

    Returns
    -------
    str
        ``start``: the sample is so short that processes were still starting; ``run``: the run's own process, which reads
        the manifest and writes ledger and report; ``cores``: all of them were busy; ``workers``: all of them were busy, and
        there are more cores; ``reading`` or ``writing``: they waited for files; empty if it isn't known.
    """
    if not used.elapsed_s or not used.workers:
        return ""
    if used.first_s >= _START * used.elapsed_s:
        return "start"
    if used.parent_cpu_s >= _BUSY * used.elapsed_s:
        return "run"
    if used.parent_cpu_s + used.workers_cpu_s >= _BUSY * used.cores * used.elapsed_s:
        return "cores"
    working_s = used.elapsed_s - used.first_s
    if used.workers_cpu_s >= _BUSY * min(used.workers, used.cores) * working_s:
        return "workers" if used.workers < used.cores else "cores"
    return "reading" if used.stage_shares.get("read", 0.0) >= used.stage_shares.get("store", 0.0) else "writing"
