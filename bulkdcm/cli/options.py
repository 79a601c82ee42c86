"""The options that more than one command takes; each is a field of `Settings`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bulkdcm.cli.paths import FOLDER_WITHIN, LOCAL_PATH, MAPPING
from bulkdcm.engines import DEFAULT, ENGINES, able
from bulkdcm.settings import (
    BY_HAND,
    JPEG,
    LAYOUTS,
    ROWS_PER_IMAGE,
    STREAMS,
    TRANSFER_SYNTAXES,
)
from bulkdcm.settings_file import NAME as SETTINGS_FILE
from bulkdcm.settings_file import ONE_RUN, TELLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from bulkdcm.settings_file import ByHand

    Command = Callable[..., Any]


class ByHandOption(click.Option):
    """An option of the command line alone that no settings file may hold; see `BY_HAND` for those that are settings."""

    def __init__(self, *names: Any, why: ByHand, **facts: Any) -> None:
        super().__init__(*names, **facts)
        self.why = why


def _by_hand(*names: str, why: ByHand, **facts: Any) -> Command:
    return click.option(*names, cls=ByHandOption, why=why, **facts)


def by_hand(option: click.Parameter) -> str:
    """Return why no settings file may hold an option; empty if one may."""
    if option.name in BY_HAND:
        return BY_HAND[option.name].why
    return option.why.why if isinstance(option, ByHandOption) else ""


def examples(*commands: str) -> str:
    """Return what a command's help ends with."""
    return "\n".join(["\b", "Examples:", *(f"  bulkdcm {command}" for command in commands)])


def pairs(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return KEYWORD=VALUE options as pairs."""
    del context
    found = []
    for value in values:
        name, equals, text = value.partition("=")
        if not (name and equals):
            msg = f"{value!r} is not Keyword=value, such as --set Modality=CR."
            raise click.BadParameter(msg, param=parameter)
        found.append((name, text))
    return tuple(found)


def _all(options: list[Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_TABLE = [
    click.option(
        "--images",
        type=LOCAL_PATH,
        help="Image root that sources are relative to. [manifest's folder]",
    ),
    click.option("--follow-links", is_flag=True, help="Read sources through links that lead outside the image root."),
    click.option(
        "--set",
        "defaults",
        multiple=True,
        callback=pairs,
        metavar="KEYWORD=VALUE",
        help="Value for every row whose cell is empty or missing; repeatable.",
    ),
    click.option(
        "--template",
        type=LOCAL_PATH,
        help="DICOM file whose attributes are defaults for every row; not its UIDs, pixels or patient.",
    ),
    click.option("--template-patient", is_flag=True, help="Its patient too."),
    click.option(
        "--ignore-column", "ignore_columns", multiple=True, metavar="NAME", help="Leave a column out; repeatable."
    ),
    click.option("--encoding", default="utf-8", show_default=True, help="Of the manifest."),
    click.option(
        "--delimiter",
        default="",
        metavar="NAME",
        help="What divides its columns: comma, semicolon, tab, bar, or the sign itself. [recognised]",
    ),
    click.option("--sheet", default="", metavar="NAME", help="Of a workbook that has several."),
    click.option(
        "--rows-per-image",
        type=click.Choice(("", *ROWS_PER_IMAGE)),
        default="",
        metavar=f"[{'|'.join(ROWS_PER_IMAGE)}]",
        help="If an image has several rows: take the first, or put their cells together. [refuse them]",
    ),
    click.option(
        "--mapping",
        type=MAPPING,
        metavar="FILE|NAME",
        help="How a dataset's own table is read as a manifest: a TOML file, or a name that `bulkdcm mappings` lists.",
    ),
    click.option(
        "--layout",
        type=click.Choice(LAYOUTS),
        default="mirror",
        show_default=True,
        help="mirror: a/b.png becomes a/b.dcm; uid: study/series/instance.dcm.",
    ),
    _by_hand(
        "--no-settings",
        why=ONE_RUN,
        is_flag=True,
        expose_value=False,
        help=f"Take no options from {SETTINGS_FILE} beside the manifest, or from an earlier run.",
    ),
]
_MANIFEST = [click.argument("manifest", type=LOCAL_PATH), *_TABLE]
# Who works.
_ENGINE = [
    click.option("-j", "--n-jobs", type=int, default=0, help="Workers; -2 leaves one core free. [one per core]"),
    click.option(
        "--chunk-size",
        type=click.IntRange(0),
        default=0,
        help="Rows that a worker takes at once. [chosen automatically]",
    ),
    click.option(
        "--backend",
        type=click.Choice(list(ENGINES)),
        default=DEFAULT,
        show_default=True,
        help="What workers are: processes, threads, none, or those of a cluster.",
    ),
    click.option("--scheduler", default="", metavar="ADDRESS", help="Of the dask cluster, such as tcp://host:8786."),
    click.option(
        "--row-timeout",
        type=click.FloatRange(0),
        default=None,
        metavar="SECONDS",
        help=f"Fail a row that takes longer, with --backend {able('stops_a_row')}; 0 for never. [300]",
    ),
    click.option(
        "--memory-limit",
        type=click.IntRange(0),
        default=0,
        metavar="MB",
        help=f"What a worker may allocate, with --backend {able('limits_memory')}. [its share of the machine's]",
    ),
]
# What becomes of pixels.
_PIXELS = [
    click.option(
        "--transfer-syntax",
        default="auto",
        show_default=True,
        metavar="NAME[:QUALITY]",
        help=f"{', '.join(TRANSFER_SYNTAXES)}:90. auto passes JPEG streams through; the others decode them.",
    ),
    click.option(
        "--streams",
        type=click.Choice(STREAMS),
        default="trust",
        show_default=True,
        help="decode: JPEG streams that are passed through are decoded too, and refused if that finds anything wrong.",
    ),
    click.option(
        "--max-pixels",
        type=click.IntRange(1),
        default=178_956_970,
        show_default=True,
        help="Refuse larger images, all frames counted, before decoding them.",
    ),
    click.option(
        "--background",
        default="",
        metavar="COLOUR",
        help="Lay transparent pixels on black, white or #rrggbb instead of refusing them.",
    ),
    click.option("--keep-color", is_flag=True, help="Keep colour images whose channels are all equal as RGB."),
    click.option(
        "--jpeg",
        type=click.Choice(JPEG),
        default="keep",
        show_default=True,
        help="transcode: a progressive, arithmetic or turned JPEG becomes a baseline stream of the same coefficients.",
    ),
    click.option(
        "--gray-tolerance",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        metavar="N",
        help="Colour whose channels differ by no more than N becomes gray.",
    ),
    click.option("--invert", is_flag=True, help="Invert the pixels of gray images."),
    click.option(
        "--window",
        default="present",
        show_default=True,
        metavar="NAME",
        help="Of gray images of more than 8 bits: present, the values that are there; percentile:0.1; none.",
    ),
    click.option("--convert-cmyk", is_flag=True, help="Convert CMYK images to RGB instead of refusing them."),
]
_RUN = [
    click.option("--uid-key-file", type=LOCAL_PATH, help="File with a secret to derive UIDs with."),
    click.option("--skip-invalid", is_flag=True, help="Fail the rows the check finds at fault and convert the others."),
    click.option(
        "--rows", default="", metavar="FIRST:LAST", help="Only these rows, counted from 0, such as 1000:2000."
    ),
    click.option(
        "--where",
        default="",
        metavar="CONDITION",
        help="Only rows that meet a condition, such as \"Modality == 'CR'\".",
    ),
    click.option("--sample", type=click.IntRange(0), default=0, help="Only this many rows, the same ones every time."),
    click.option("--only-failed", is_flag=True, help="Only rows that failed before."),
    click.option("--fail-fast", is_flag=True, help="Stop at the first failed row."),
    click.option(
        "--retry-failed/--no-retry-failed",
        default=None,
        help="Try all rows again that failed before, or none. [those whose failure may end otherwise now]",
    ),
    click.option(
        "--check-sources", is_flag=True, help="Compare sources by content, not by size and modification time."
    ),
    click.option(
        "--max-missing",
        type=click.FloatRange(0, 1),
        default=0.5,
        show_default=True,
        metavar="SHARE",
        help="Stop before anything runs if more of the sources converted before are missing.",
    ),
    click.option("--overwrite", is_flag=True, help="Let outputs take the place of files in OUT that no ledger knows."),
    click.option(
        "--fsync/--no-fsync",
        default=True,
        show_default=True,
        help="Bring files to the disk before calling them done; without it, a power cut may lose some.",
    ),
    click.option(
        "--ledger",
        type=LOCAL_PATH,
        help="The run's memory, on a local disk. [OUT/.bulkdcm/ledger.sqlite]",
    ),
    click.option("--prune", is_flag=True, help="Remove the outputs of rows that are no longer in the manifest."),
    click.option(
        "--verify",
        is_flag=True,
        help="Compare each file with its row and its source, decoded by another decoder, before it is stored.",
    ),
]
# Who is told.
_TOLD = [
    _by_hand(
        "--json",
        "as_json",
        why=TELLS,
        is_flag=True,
        help="Tell events as JSON lines on the standard output, and nothing else.",
    ),
    _by_hand(
        "--identifiers", why=TELLS, is_flag=True, help="Names, values and messages, too, in --json and --log-file."
    ),
    _by_hand("--log-file", why=TELLS, type=LOCAL_PATH, help="Add events to a log, a line each."),
    _by_hand("-q", "--quiet", why=TELLS, is_flag=True, help="Print errors alone."),
    _by_hand("-v", "--verbose", why=TELLS, is_flag=True, help="Print each row that fails when it does."),
    _by_hand("--metrics", why=TELLS, type=LOCAL_PATH, help="File to write the run's figures into, for Prometheus."),
]
GROUPS = {"manifest": _MANIFEST, "engine": _ENGINE, "pixels": _PIXELS, "run": _RUN, "told": _TOLD}
"""Options by what they concern."""
manifest_options = _all(_MANIFEST)
checking_options = _all(_TOLD[:2])
telling_options = _all(_TOLD)
engine_options = _all(_ENGINE)
table_options = _all(_TABLE)
reading_options = _all([*_ENGINE, *_PIXELS])
run_options = _all([*_ENGINE, *_PIXELS, *_RUN])

out_option = click.option("-o", "--out", required=True, type=FOLDER_WITHIN, help="Output folder.")
dry_run_option = _by_hand(
    "--dry-run", why=ONE_RUN, is_flag=True, help="Say how many rows would run, and why; do nothing."
)


def _options(*groups: list[Command]) -> dict[str, click.Option]:
    def command() -> None:
        pass

    made = click.command()(_all([option for group in groups for option in group])(command))
    return {str(option.name): option for option in made.params if isinstance(option, click.Option)}


CONVERT = _options(_TABLE, [out_option, dry_run_option], _ENGINE, _PIXELS, _RUN, _TOLD)
"""The options of `convert`, by name."""
