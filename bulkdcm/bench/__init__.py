"""How fast a manifest converts here: its rows run for real, over workers, chunk sizes, backends and transfer syntaxes."""

from bulkdcm.bench.configurations import Configuration, grid
from bulkdcm.bench.measure import Measurement, bench, recommended

__all__ = ["Configuration", "Measurement", "bench", "grid", "recommended"]
