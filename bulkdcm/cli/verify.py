"""``bulkdcm verify``: what validators miss in DICOM files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bulkdcm.cli.options import LOCAL_PATH, examples
from bulkdcm.cli.output import say
from bulkdcm.cli.problems import counted

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog=examples("verify dicom"))
@click.argument("paths", nargs=-1, required=True, type=LOCAL_PATH)
@click.option("--n-jobs", type=click.IntRange(0), default=0, help="Workers. [one a core]")
@click.option("--max-pixels", type=click.IntRange(1), help="Decode no frame with more pixels. [as convert]")
def verify_files(paths: tuple[Path, ...], *, n_jobs: int, max_pixels: int | None) -> int:
    """Check DICOM files, and those in folders, against themselves and the modules of their SOP class; compressed pixels are decoded."""
    from bulkdcm.validation import MAX_PIXELS, verify_all

    files = findings = unlisted = 0
    at_fault = set()
    for count, found in verify_all(paths, n_jobs, max_pixels or MAX_PIXELS):
        files += count
        for finding in found:
            say(str(finding))
            if finding.where == "folder":
                unlisted += 1
                continue
            findings += 1
            at_fault.add(finding.path)
    left = f"; {counted(unlisted, 'folder')} not looked into" if unlisted else ""
    say(f"{counted(files, 'file')}, {counted(findings, 'finding')} in {len(at_fault):,} of them{left}")
    return 1 if findings or unlisted else 0
