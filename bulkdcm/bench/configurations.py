"""What is tried: every combination of a few settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from bulkdcm.engines import ENGINES, cores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The settings that change how fast a run is, and not what it writes (but for the transfer syntax).

    Attributes
    ----------
    n_jobs, chunk_size, backend, transfer_syntax, scheduler
        As in `Settings`.
    """

    n_jobs: int
    chunk_size: int
    backend: str
    transfer_syntax: str
    scheduler: str = ""

    def of(self, settings: Settings) -> Settings:
        """Return `settings` with these."""
        return replace(
            settings,
            n_jobs=self.n_jobs,
            chunk_size=self.chunk_size,
            backend=self.backend,
            transfer_syntax=self.transfer_syntax,
            scheduler=self.scheduler,
        )

    @property
    def options(self) -> str:
        """As options of ``bulkdcm convert``."""
        chunk = f" --chunk-size {self.chunk_size}" if self.chunk_size else ""
        where = f" --scheduler {self.scheduler}" if self.scheduler else f" --n-jobs {self.n_jobs}"
        return f"--backend {self.backend}{where}{chunk} --transfer-syntax {self.transfer_syntax}"


def grid(
    n_jobs: Sequence[int],
    chunk_sizes: Sequence[int],
    backends: Sequence[str],
    transfer_syntaxes: Sequence[str],
    scheduler: str = "",
) -> list[Configuration]:
    """Return every combination, each once.

    Parameters
    ----------
    n_jobs
        Workers; empty for 1, 2, 4 … up to one a core.
    chunk_sizes
        Rows a worker takes at once; 0 for the run's own choice.
    backends, transfer_syntaxes, scheduler
        As in `Settings`; a cluster is tried with all its workers only.
    """
    most = cores()
    doubled = [2**power for power in range(most.bit_length()) if 2**power < most]
    found = []
    for syntax, backend, size, jobs in product(transfer_syntaxes, backends, chunk_sizes, n_jobs or [*doubled, most]):
        engine = ENGINES.get(backend)  # one that isn't there is refused with the other settings
        of_cluster = engine is not None and engine.needs_address
        cluster = scheduler if of_cluster else ""
        workers = 0 if of_cluster else engine.workers(jobs, "") if engine else jobs
        found.append(
            Configuration(n_jobs=workers, chunk_size=size, backend=backend, transfer_syntax=syntax, scheduler=cluster)
        )
    return list(dict.fromkeys(found))
