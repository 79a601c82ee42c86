"""``bulkdcm verify``: what validators miss in DICOM files."""

from __future__ import annotations

from pathlib import Path

import click

from bulkdcm.cli.problems import counted


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--n-jobs", type=click.IntRange(0), default=0, help="Workers. [one a core]")
def verify_files(paths: tuple[Path, ...], *, n_jobs: int) -> int:
    """Check DICOM files, and those in folders, against themselves: meta information, values, pixels and streams."""
    from bulkdcm.errors import SettingsError
    from bulkdcm.verify import verify_all

    for path in paths:
        if not path.exists():
            msg = f"{path}: no such file or folder. Name DICOM files, or folders of them."
            raise SettingsError(msg)
    files = findings = 0
    at_fault = set()
    for count, found in verify_all(paths, n_jobs):
        files += count
        for finding in found:
            click.echo(str(finding))
            findings += 1
            at_fault.add(finding.path)
    click.echo(f"{counted(files, 'file')}, {counted(findings, 'finding')} in {len(at_fault):,} of them")
    return 1 if findings else 0
