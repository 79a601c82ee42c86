"""Measurements as a picture."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from bulkdcm.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bulkdcm.bench.measure import Measurement

SUFFIXES = (".png", ".svg")
_SIZE_IN = (10, 4.5)


def check_plot(path: Path) -> None:
    """Refuse a picture that can't be drawn, before anything is measured.

    Raises
    ------
    SettingsError
        If matplotlib is missing, or the suffix is none that we draw.
    """
    if path.suffix.lower() not in SUFFIXES:
        msg = f"--plot {path}: not a picture's name. Possible: {', '.join(SUFFIXES)}."
        raise SettingsError(msg)
    if find_spec("matplotlib") is None:
        msg = f"--plot {path} needs matplotlib: pip install 'bulkdcm[plot]'"
        raise SettingsError(msg)


def plot(found: Sequence[Measurement], path: Path) -> None:
    """Draw images/s over workers, and the stages' shares, to `path`.

    Parameters
    ----------
    found
        What to draw.
    path
        Its suffix chooses the format: ``.png`` or ``.svg``.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_IN, layout="constrained")
    rates, shares = figure.subplots(1, 2)
    lines: dict[str, list[Measurement]] = {}
    for one in found:
        chosen = one.configuration
        chunk = f"chunks of {chosen.chunk_size}" if chosen.chunk_size else "own chunks"
        lines.setdefault(f"{chosen.backend}, {chunk}, {chosen.transfer_syntax}", []).append(one)
    for label, points in lines.items():
        rates.errorbar(
            [point.configuration.n_jobs for point in points],
            [point.images_per_s for point in points],
            yerr=[point.images_per_s * point.spread / 2 for point in points],
            label=label, marker="o", capsize=3,
        )  # fmt: skip
    rates.set(xlabel="workers", ylabel="images/s", title="throughput, warm", ylim=(0, None))
    rates.xaxis.get_major_locator().set_params(integer=True)
    rates.legend(fontsize="small", loc="lower right")
    names = [f"{label}, {point.configuration.n_jobs}" for label, points in lines.items() for point in points]
    left = [0.0] * len(names)
    for stage in found[0].stage_shares:
        widths = [point.stage_shares[stage] for points in lines.values() for point in points]
        shares.barh(names, widths, left=left, label=stage)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    shares.set(title="share of the workers' time", xlim=(0, 1))
    figure.legend(*shares.get_legend_handles_labels(), loc="outside lower right", ncols=len(found[0].stage_shares))
    figure.savefig(path)
