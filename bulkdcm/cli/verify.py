"""``bulkdcm verify``: a run proved, or DICOM files checked for what validators miss."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from bulkdcm.cli.options import LOCAL_PATH, engine_options, examples, table_options
from bulkdcm.cli.output import say
from bulkdcm.cli.problems import counted

if TYPE_CHECKING:
    from pathlib import Path

    from bulkdcm.proof.verification import Verification

_EXAMPLES = 5


@click.command(epilog=examples("verify dicom"))
@click.argument("paths", nargs=-1, required=True, type=LOCAL_PATH)
@click.option(
    "--manifest", type=LOCAL_PATH, help="The run's manifest, read with these options. [the one that the ledger knows]"
)
@click.option("--no-sources", is_flag=True, help="Don't read and decode the sources.")
@click.option("--sample", type=click.IntRange(0), default=0, help="Only so many files, evenly chosen.")
@click.option("--dciodvfy", is_flag=True, help="Run dciodvfy on each file, too.")
@click.option("--again", is_flag=True, help="Don't go on with a verification that was interrupted; begin anew.")
@click.option("--json", "as_json", is_flag=True, help="Print all that was found as JSON.")
@click.option(
    "--max-pixels", type=click.IntRange(1), default=None, help="Decode no frame with more pixels. [as convert]"
)
@click.option("--uid-key-file", type=LOCAL_PATH, help="File with a secret to derive UIDs with.")
@click.option("--ledger", type=LOCAL_PATH, help="The run's memory, on a local disk. [OUT/.bulkdcm/ledger.sqlite]")
@engine_options
@table_options
def verify_files(paths: tuple[Path, ...], **options: Any) -> int:
    """Prove the run of an output folder: each file against the ledger, the manifest and its source, decoded anew.

    Files and folders of no run are checked against themselves and the modules of their SOP class; compressed pixels are decoded.
    """
    from bulkdcm.conversion import verification
    from bulkdcm.settings import Settings

    as_json, manifest = options.pop("as_json"), options.pop("manifest")
    wanted = {
        "sources": not options.pop("no_sources"),
        "dciodvfy": options.pop("dciodvfy"),
        "again": options.pop("again"),
    }
    if options["max_pixels"] is None:
        del options["max_pixels"]
    settings = Settings.of(**options)
    if len(paths) == 1 and verification.has_ledger(paths[0], settings):
        return _prove(paths[0], manifest, settings, wanted, as_json=as_json)
    return _each_by_itself(paths, settings, as_json=as_json)


def _prove(out: Path, manifest: Path | None, settings: Any, wanted: dict[str, Any], *, as_json: bool) -> int:
    from bulkdcm import system
    from bulkdcm.conversion import api
    from bulkdcm.errors import Terminated

    with system.interruptible(Terminated):
        found = api.verify(out, manifest, settings, progress=not as_json, **wanted)
    if as_json:
        say_json(found)
    else:
        _tell(found)
    if found.interrupted:
        say("interrupted: run the same command again to go on.", err=True)
    return found.exit_code


def say_json(found: Verification) -> None:
    """Print a verification as JSON."""
    click.echo(json.dumps(found.summary(), indent=1, ensure_ascii=False))


def _tell(found: Verification) -> None:
    from bulkdcm.proof import KINDS

    for kind, count in found.counts.items():
        say(f"{kind}: {KINDS[kind].meaning}: {count:,}")
        of_kind = [finding for finding in found.findings if finding.kind == kind]
        for finding in of_kind[:_EXAMPLES]:
            say(f"  {finding}")
        if count > _EXAMPLES:
            say(f"  … and {count - _EXAMPLES:,} more in {found.out}/verify.json")
        say(f"  {KINDS[kind].remedy}.")
    for by, count in sorted(found.by.items(), key=lambda item: -item[1]):
        say(f"by {by}: {count:,}")
    for note in found.notes:
        say(f"note: {note}", err=True)
    total = counted(sum(found.counts.values()), "finding")
    say(f"{counted(found.files, 'file')}, {found.proved:,} proved; {total} in {found.files_at_fault:,} of them")


def _each_by_itself(paths: tuple[Path, ...], settings: Any, *, as_json: bool) -> int:
    from bulkdcm.validation import verify_all

    files = findings = unlisted = 0
    at_fault = set()
    for count, found in verify_all(paths, settings.n_jobs, settings.max_pixels):
        files += count
        for finding in found:
            if as_json:
                click.echo(json.dumps({"path": finding.path, "where": finding.where, "what": finding.rule}))
            else:
                say(str(finding))
            if finding.where == "folder":
                unlisted += 1
                continue
            findings += 1
            at_fault.add(finding.path)
    left = f"; {counted(unlisted, 'folder')} not looked into" if unlisted else ""
    if not as_json:
        say(f"{counted(files, 'file')}, {counted(findings, 'finding')} in {len(at_fault):,} of them{left}")
    return 1 if findings or unlisted else 0
