"""``bulkdcm convert``: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bulkdcm.cli.options import dry_run_option, examples, manifest_options, out_option, run_options, telling_options
from bulkdcm.cli.output import say
from bulkdcm.cli.taking import TakingCommand

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    cls=TakingCommand,
    epilog=examples(
        "convert manifest.csv -o dicom",
        "convert Data_Entry_2017.csv --mapping nih-chestxray14 -o dicom",
        "convert manifest.csv -o dicom --set Modality=CR --set sop_class=CR -j 8",
        "convert manifest.csv -o dicom --dry-run",
    ),
)
@manifest_options
@out_option
@dry_run_option
@run_options
@telling_options
def convert(manifest: Path, out: Path, *, dry_run: bool, **options: Any) -> int:
    """Convert every row of MANIFEST that is not done yet to a DICOM file in OUT, and report on all of them.

    If MANIFEST is the output folder of a run, that run goes on with the options that it had.
    """
    from bulkdcm.cli.running import Told, shown_to_its_end
    from bulkdcm.conversion import api

    if not dry_run:
        return shown_to_its_end(api.convert, manifest, out, options)
    told = Told.of(options)
    with told.events() as events, events.of("plan", manifest):
        found = dict(sorted(api.plan(manifest, out, **options).items()))
        events.tell("end", exit_code=0, plan=found)
    for reason, count in () if told.silent else found.items():
        say(f"{count:>10,}  {reason}")
    return 0
