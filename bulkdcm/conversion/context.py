"""What every row of a run needs, made once and sent to workers."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import metadata as packages
from typing import TYPE_CHECKING

from bulkdcm import system
from bulkdcm._version import __version__
from bulkdcm.images import decoders

if TYPE_CHECKING:
    from bulkdcm.engines import Engine
    from bulkdcm.settings import Settings
    from bulkdcm.stores import Store

_MEMORY_SHARE = 0.8
_DECODERS = ("Pillow", decoders.NAME, "numpy", "pydicom", "imagecodecs")


@lru_cache(maxsize=2)
def release(acceptance: str = "") -> str:
    """Return the releases, and the settings, that decide whether a source is refused."""
    found = [f"bulkdcm {__version__}"]
    for name in _DECODERS:
        if name == decoders.NAME and not decoders.release():
            continue  # installed, and of no use
        with contextlib.suppress(packages.PackageNotFoundError):
            found.append(f"{name} {packages.version(name)}")
    return ", ".join([*found, *([acceptance] if acceptance else [])])


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every row of a run needs.

    Attributes
    ----------
    settings
        Of the run.
    sources, outputs
        Where bytes come from and go.
    basis
        The settings that change bytes, as the ledger keeps them.
    release
        The releases and settings that decide whether a source is refused.
    uid_key
        Secret that UIDs are derived with, or empty.
    parent
        Process id of the run; 0 if that is on another machine.
    transcoder
        The library that transcodes JPEG; empty if none is asked for.
    run
        Its number, of those that the ledger has seen.
    version
        Of the bulkdcm that the run has; a worker of a cluster may have another.
    """

    settings: Settings
    sources: Store
    outputs: Store
    basis: str
    release: str
    uid_key: bytes = field(default=b"", repr=False)
    parent: int = 0
    transcoder: str = ""
    run: int = 0
    version: str = __version__

    def memory_bytes(self, workers: int) -> int:
        """Return how much memory each of so many workers may take: what is asked for, or its share of the machine's."""
        share = int(system.memory_bytes() * _MEMORY_SHARE / workers)
        return self.settings.memory_limit * 1_000_000 or share

    def for_workers(self, engine: Engine) -> Context:
        """Return the context for workers: on other machines they know neither the run's process nor its folders' numbers."""
        if engine.same_machine:
            return self
        return replace(self, parent=0, sources=self.sources.elsewhere(), outputs=self.outputs.elsewhere())
