"""``bulkdcm verify``: what validators miss in DICOM files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bulkdcm.cli.options import LOCAL_PATH
from bulkdcm.cli.output import say
from bulkdcm.cli.problems import counted

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("paths", nargs=-1, required=True, type=LOCAL_PATH)
@click.option("--n-jobs", type=click.IntRange(0), default=0, help="Workers. [one a core]")
def verify_files(paths: tuple[Path, ...], *, n_jobs: int) -> int:
    """Check DICOM files, and those in folders, against themselves: meta information, values, pixels and streams."""
    from bulkdcm.errors import SettingsError
    from bulkdcm.verify import files_in, verify_all

    for path in paths:
        if not path.exists():
            msg = f"{path}: no such file or folder. Name DICOM files, or folders of them."
            raise SettingsError(msg)
        if path.is_dir() and not any(files_in([path])):
            msg = f"{path}: no DICOM file in it: none whose name ends with .dcm. Name the folder that holds them."
            raise SettingsError(msg)
    files = findings = 0
    at_fault = set()
    for count, found in verify_all(paths, n_jobs):
        files += count
        for finding in found:
            say(str(finding))
            findings += 1
            at_fault.add(finding.path)
    say(f"{counted(files, 'file')}, {counted(findings, 'finding')} in {len(at_fault):,} of them")
    return 1 if findings else 0
