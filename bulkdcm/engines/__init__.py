"""Who runs the chunks, and who is to blame when a worker dies; knows no DICOM."""

from bulkdcm.engines.base import Engine, Lost, Workers, cores, cut
from bulkdcm.engines.dask import Dask
from bulkdcm.engines.loky import Loky
from bulkdcm.engines.recover import Job, Recovery
from bulkdcm.engines.sequential import Sequential
from bulkdcm.engines.threads import Threads

__all__ = [
    "DEFAULT",
    "ENGINES",
    "IN_PROCESS",
    "PROCESSES",
    "Engine",
    "Job",
    "Lost",
    "Recovery",
    "Workers",
    "able",
    "cores",
    "cut",
]

ENGINES: dict[str, Engine] = {"loky": Loky(), "threading": Threads(), "sequential": Sequential(), "dask": Dask()}
"""By the names that users know them by; options, help and errors follow it."""


def able(fact: str) -> str:
    """Return the names of the engines that have a fact, in words."""
    return " or ".join(name for name, engine in ENGINES.items() if getattr(engine, fact))


DEFAULT = "loky"
PROCESSES, IN_PROCESS = ENGINES[DEFAULT], ENGINES["sequential"]
