"""``bulkdcm verify``: what validators miss in DICOM files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bulkdcm.cli.options import LOCAL_PATH
from bulkdcm.cli.problems import counted

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("paths", nargs=-1, required=True, type=LOCAL_PATH)
@click.option("--n-jobs", type=click.IntRange(0), default=0, help="Workers. [one a core]")
@click.option("--max-pixels", type=click.IntRange(1), help="Decode no frame with more pixels. [as convert]")
def verify_files(paths: tuple[Path, ...], *, n_jobs: int, max_pixels: int | None) -> int:
    """Check DICOM files, and those in folders, against themselves and the modules of their SOP class; compressed pixels are decoded."""
    from bulkdcm.errors import SettingsError
    from bulkdcm.verify import MAX_PIXELS, files_in, verify_all

    for path in paths:
        if not path.exists():
            msg = f"{path}: no such file or folder. Name DICOM files, or folders of them."
            raise SettingsError(msg)
        if path.is_dir() and not any(files_in([path])):
            msg = f"{path}: no DICOM file in it: none whose name ends with .dcm. Name the folder that holds them."
            raise SettingsError(msg)
    files = findings = 0
    at_fault = set()
    for count, found in verify_all(paths, n_jobs, max_pixels or MAX_PIXELS):
        files += count
        for finding in found:
            click.echo(str(finding))
            findings += 1
            at_fault.add(finding.path)
    click.echo(f"{counted(files, 'file')}, {counted(findings, 'finding')} in {len(at_fault):,} of them")
    return 1 if findings else 0
