"""``bulkdcm bench``: how fast a manifest converts on this machine, and with which settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bulkdcm.cli.options import examples, manifest_options
from bulkdcm.cli.output import say
from bulkdcm.cli.paths import LOCAL_PATH, NEW_FILE
from bulkdcm.cli.taking import TakingCommand
from bulkdcm.engines import DEFAULT, ENGINES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.table import Table

    from bulkdcm.bench import Measurement


def _list_of(convert: type) -> Any:
    def read(context: click.Context, parameter: click.Parameter, text: str) -> list[Any]:
        del context
        try:
            return [convert(part.strip()) for part in text.split(",") if part.strip()]
        except ValueError as error:
            msg = f"{text!r} is not a list as 1,2,4."
            raise click.BadParameter(msg, param=parameter) from error

    return read


@click.command(
    cls=TakingCommand, epilog=examples("bench manifest.csv", "bench manifest.csv --n-jobs 1,2,4 --sample 500")
)
@manifest_options
@click.option(
    "--sample", type=click.IntRange(1), default=1000, show_default=True, help="Rows to run, the same ones every time."
)
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True, help="Warm runs of each setting.")
@click.option(
    "--n-jobs", default="", callback=_list_of(int), help="Workers to try, such as 1,2,4. [1, 2, 4 … one per core]"
)
@click.option(
    "--chunk-sizes",
    default="0",
    callback=_list_of(int),
    show_default=True,
    help="To try, such as 0,16,64; 0 chooses automatically.",
)
@click.option(
    "--backends", default=DEFAULT, callback=_list_of(str), show_default=True, help=f"Of {', '.join(ENGINES)}."
)
@click.option("--transfer-syntaxes", default="auto", callback=_list_of(str), show_default=True, help="As auto,rle.")
@click.option("--scheduler", default="", metavar="ADDRESS", help="Of the cluster, if dask is among the backends.")
@click.option("--null", is_flag=True, help="Do all but write the outputs, to see the storage's share.")
@click.option("--fsync/--no-fsync", default=True, show_default=True, help="As of convert.")
@click.option("--place", type=LOCAL_PATH, help="Folder to write below. [the system's temporary one]")
@click.option("--json", "json_path", type=NEW_FILE, help="File to make with the figures.")
@click.option("--plot", "plot_path", type=NEW_FILE, help="Picture to make, .png or .svg.")
def bench(manifest: Path, *, json_path: Path | None, plot_path: Path | None, **options: Any) -> int:
    """Run some rows of MANIFEST for real with different settings, and recommend the fastest."""
    import json
    from dataclasses import asdict

    from rich.console import Console

    from bulkdcm.bench import bench as measure
    from bulkdcm.bench import grid, recommended
    from bulkdcm.settings import Settings

    if plot_path:
        from bulkdcm.bench.plot import check_plot, plot

        check_plot(plot_path)
    tried = grid(
        *(options.pop(name) for name in ("n_jobs", "chunk_sizes", "backends", "transfer_syntaxes", "scheduler"))
    )
    named = {name: options.pop(name) for name in ("place", "repeats", "null")}
    if named["place"] and not named["place"].is_dir():
        msg = f"{named['place']}: no such folder."
        raise click.BadParameter(msg, param_hint="--place")
    settings = Settings.of(**options)
    found = []
    for one in measure(manifest, settings, tried, **named):
        found.append(one)
        say(f"{one.images_per_s:>10,.1f} images/s  {one.configuration.options}", err=True)
    best = recommended(found)
    console = Console(highlight=False)
    console.print(_rates(found))
    console.print()
    console.print(_shares(found))
    console.print()
    console.print(f"recommended: {best.configuration.options}", style="bold green", soft_wrap=True)
    if json_path:
        from bulkdcm.bench.machine import machine

        figures = {"machine": machine(), "options": {name: str(value) for name, value in {**options, **named}.items()}}
        runs = [asdict(one) for one in found]
        text = json.dumps({**figures, "runs": runs, "recommended": asdict(best.configuration)}, indent=2)
        json_path.write_text(text + "\n", encoding="utf-8", newline="\n")
    if plot_path:
        plot(found, plot_path)
    return 0


def _rates(found: Sequence[Measurement]) -> Table:
    """Return what was tried and how fast it was."""
    rows = [
        (
            one.configuration.n_jobs, one.configuration.backend, one.configuration.chunk_size or "auto",
            one.configuration.transfer_syntax, f"{one.images_per_s:,.1f}", f"{one.spread / 2:.0%}",
            f"{one.cold_images_per_s:,.1f}" if one.cold_images_per_s else "",
            f"{one.efficiency:.0%}" if one.efficiency else "",
            f"{one.floor_images_per_s / one.images_per_s:.1f}" if one.floor_images_per_s and one.images_per_s else "",
            one.failed or "",
        )
        for one in found
    ]  # fmt: skip
    return _table(
        ("workers", "backend", "chunk", "syntax", "images/s", "±", "cold", "efficiency", "x floor", "failed"), rows
    )


def _shares(found: Sequence[Measurement]) -> Table:
    """Return where time and memory went."""
    stages = list(found[0].stage_shares)
    rows = [
        (
            one.bound_by, f"{one.source_mb_per_s:,.1f}", f"{one.output_mb_per_s:,.1f}",
            *(f"{one.stage_shares[stage]:.0%}" for stage in stages),
            f"{one.worker_mb:,.0f}", f"{one.parent_mb:,.0f}",
        )
        for one in found
    ]  # fmt: skip
    return _table(("bound by", "MB/s in", "MB/s out", *stages, "worker MB", "run MB"), rows)


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for name in ("#", *names):
        table.add_column(name, justify="left" if name in {"backend", "syntax", "bound by"} else "right", no_wrap=True)
    for number, row in enumerate(rows, start=1):
        table.add_row(str(number), *map(str, row))
    return table
