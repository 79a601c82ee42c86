"""Chunks to results, in the order they finish. The only module that imports joblib; it knows no DICOM."""

from __future__ import annotations

import contextlib
import math
import os
from typing import TYPE_CHECKING, Any, TypeVar

from joblib import Parallel, delayed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

_LARGEST_CHUNK = 64
_CHUNKS_A_WORKER = 8


def workers(n_jobs: int) -> int:
    """Return the number of workers: `n_jobs`, or one for each core this process may use."""
    if n_jobs:
        return n_jobs
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def chunk_size(rows: int, n_jobs: int, asked: int) -> int:
    """Return the rows of a chunk: `asked`, or as many as keep dispatch cheap and every worker busy to the end."""
    return asked or max(1, min(_LARGEST_CHUNK, math.ceil(rows / (workers(n_jobs) * _CHUNKS_A_WORKER))))


def run_chunks(
    function: Callable[[Chunk], Result], chunks: Iterable[Chunk], *, n_jobs: int, backend: str
) -> Iterator[Result]:
    """Yield ``function(chunk)`` for each chunk as it finishes.

    Parameters
    ----------
    function
        Must not raise; importable by name where the backend is ``loky``.
    chunks
        Taken lazily, a few ahead of the workers.
    n_jobs
        Workers; 0 for one a core.
    backend
        ``loky``, ``threading`` or ``sequential``.
    """
    if backend == "sequential":
        yield from map(function, chunks)
        return
    parallel = Parallel(
        n_jobs=workers(n_jobs), backend=backend, batch_size=1, pre_dispatch="3*n_jobs", return_as="generator_unordered"
    )
    results: Any = parallel(delayed(function)(chunk) for chunk in chunks)
    with contextlib.closing(results):
        yield from results
