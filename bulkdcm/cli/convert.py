"""``bulkdcm convert``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bulkdcm.cli.options import manifest_options, run_options
from bulkdcm.cli.problems import show


@click.command()
@manifest_options
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Output folder.")
@run_options
def convert(manifest: Path, out: Path, **options: Any) -> int:
    """Convert every row of MANIFEST to a DICOM file in OUT, and report on each."""
    from rich.console import Console

    from bulkdcm import pipeline
    from bulkdcm.cli.progress import shown
    from bulkdcm.report import terminal

    with shown() as on_progress:
        report = pipeline.convert(manifest, out, on_progress=on_progress, **options)
    show(report.warnings)
    console = Console(highlight=False, soft_wrap=False)
    for line in terminal.lines(report, str(out)):
        console.print(line)
    if report.interrupted:
        click.echo("interrupted: what was finished is kept. Run the same command again to go on.", err=True)
    return report.exit_code
