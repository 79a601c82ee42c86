"""``bulkdcm rebuild``: a lost or damaged ledger made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bulkdcm.cli.options import examples, manifest_options, out_option, run_options, telling_options
from bulkdcm.cli.taking import TakingCommand

if TYPE_CHECKING:
    from pathlib import Path


@click.command(cls=TakingCommand, epilog=examples("rebuild manifest.csv -o dicom"))
@manifest_options
@out_option
@run_options
@telling_options
def rebuild(manifest: Path, out: Path, **options: Any) -> int:
    """Make the ledger of OUT anew: the rows of MANIFEST whose outputs are there, byte for byte, are done."""
    from bulkdcm.cli.running import shown_to_its_end
    from bulkdcm.conversion import api

    return shown_to_its_end(api.rebuild, manifest, out, options)
