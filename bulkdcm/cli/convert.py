"""``bulkdcm convert``: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bulkdcm.cli.options import manifest_options, out_option, run_options
from bulkdcm.cli.output import say

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@manifest_options
@out_option
@click.option("--dry-run", is_flag=True, help="Say how many rows would run, and why; do nothing.")
@run_options
def convert(manifest: Path, out: Path, *, dry_run: bool, **options: Any) -> int:
    """Convert every row of MANIFEST that is not done yet to a DICOM file in OUT, and report on all of them."""
    from bulkdcm.cli.running import shown_to_its_end
    from bulkdcm.conversion import api

    if not dry_run:
        return shown_to_its_end(api.convert, manifest, out, options)
    for reason, count in sorted(api.plan(manifest, out, **options).items()):
        say(f"{count:>10,}  {reason}")
    return 0
