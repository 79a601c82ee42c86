"""``bulkdcm verify``: a run proved, or DICOM files checked for what validators miss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bulkdcm.cli.events import Events, to_standard_output
from bulkdcm.cli.options import engine_options, examples, table_options
from bulkdcm.cli.output import say
from bulkdcm.cli.paths import LOCAL_PATH
from bulkdcm.cli.taking import TakingCommand
from bulkdcm.printable import counted

if TYPE_CHECKING:
    from pathlib import Path

    from bulkdcm.proof.verification import Verification
    from bulkdcm.settings import Settings

_EXAMPLES = 5
_STANDARD = "standard"


@click.command(cls=TakingCommand, epilog=examples("verify dicom"))
@click.argument("paths", nargs=-1, required=True, type=LOCAL_PATH)
@click.option(
    "--manifest", type=LOCAL_PATH, help="The run's manifest, read with these options. [the one that the ledger knows]"
)
@click.option("--no-sources", is_flag=True, help="Don't read and decode the sources.")
@click.option("--sample", type=click.IntRange(0), default=0, help="Only this many files, evenly chosen.")
@click.option("--dciodvfy", is_flag=True, help="Run dciodvfy on each file, too.")
@click.option("--again", is_flag=True, help="Don't go on with a verification that was interrupted; start again.")
@click.option(
    "--json", "as_json", is_flag=True, help="Tell events as JSON lines on the standard output, and nothing else."
)
@click.option("--identifiers", is_flag=True, help="Paths and what was found, too, in --json.")
@click.option(
    "--max-pixels", type=click.IntRange(1), default=None, help="Decode no frame with more pixels. [as convert]"
)
@click.option("--uid-key-file", type=LOCAL_PATH, help="File with a secret to derive UIDs with.")
@click.option("--ledger", type=LOCAL_PATH, help="The run's memory, on a local disk. [OUT/.bulkdcm/ledger.sqlite]")
@engine_options
@table_options
def verify_files(paths: tuple[Path, ...], *, as_json: bool, identifiers: bool, **options: Any) -> int:
    """Prove the run of an output folder: each file against the ledger, the manifest and its source, decoded anew.

    Files and folders of no run are checked against themselves and the modules of their SOP class; compressed pixels are decoded.
    """
    from bulkdcm.conversion import verification
    from bulkdcm.settings import Settings

    manifest = options.pop("manifest")
    wanted = {
        "sources": not options.pop("no_sources"),
        "dciodvfy": options.pop("dciodvfy"),
        "again": options.pop("again"),
    }
    if options["max_pixels"] is None:
        del options["max_pixels"]
    settings = Settings.of(**options)
    events = Events([to_standard_output] if as_json else [], identifiers=identifiers)
    with events.of("verify", ", ".join(map(str, paths))):
        if len(paths) == 1 and verification.has_ledger(paths[0], settings):
            return _prove(paths[0], manifest, settings, wanted, None if not as_json else events)
        return _each_by_itself(paths, settings, None if not as_json else events)


def _prove(out: Path, manifest: Path | None, settings: Settings, wanted: dict[str, Any], events: Events | None) -> int:
    from bulkdcm import signals
    from bulkdcm.conversion import api
    from bulkdcm.errors import Terminated

    with signals.interruptible(Terminated):
        found = api.verify(out, manifest, settings, progress=events is None, **wanted)
    if events:
        _tell_events(found, events)
    else:
        _tell(found)
    if found.interrupted:
        say("interrupted: run the same command again to go on.", err=True)
    return found.exit_code


def _tell_events(found: Verification, events: Events) -> None:
    """Tell a verification to programs."""
    for one in found.findings:
        events.tell("finding", kind=one.kind, line=one.line, where=one.where, path=one.path, what=one.what)
    for note in found.notes:
        events.tell("note", text=note)
    facts = {name: fact for name, fact in found.summary().items() if name not in {"findings", "notes", "bulkdcm"}}
    events.tell("end", exit_code=found.exit_code, **facts)


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


def _each_by_itself(paths: tuple[Path, ...], settings: Settings, events: Events | None) -> int:
    from bulkdcm.validation import verify_all

    files = findings = unlisted = 0
    at_fault = set()
    for count, found in verify_all(paths, settings.n_jobs, settings.max_pixels):
        files += count
        for finding in found:
            if events:
                events.tell(
                    "finding", kind=_STANDARD, line=0, where=finding.where, path=finding.path, what=finding.rule
                )
            else:
                say(str(finding))
            if finding.where == "folder":
                unlisted += 1
                continue
            findings += 1
            at_fault.add(finding.path)
    left = f"; {counted(unlisted, 'folder')} not looked into" if unlisted else ""
    code = 1 if findings or unlisted else 0
    if events:
        events.tell("end", exit_code=code, files=files, findings=findings, at_fault=len(at_fault))
    else:
        say(f"{counted(files, 'file')}, {counted(findings, 'finding')} in {len(at_fault):,} of them{left}")
    return code
