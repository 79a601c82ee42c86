"""``bulkdcm init``: a first manifest, or a first mapping."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from bulkdcm.cli.options import examples, pairs
from bulkdcm.cli.output import say
from bulkdcm.cli.paths import LOCAL_PATH

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    epilog=examples(
        "init images --out manifest.csv",
        'init images --pattern "{PatientID}/{study}/{InstanceNumber}.png" --out manifest.csv',
        'init images --join labels.csv --on "{stem}" --out manifest.csv',
        "init --from metadata.csv --out mapping.toml",
    )
)
@click.argument("images", type=LOCAL_PATH, required=False)
@click.option("--out", required=True, type=LOCAL_PATH, help="The file to write; it must not be there yet.")
@click.option(
    "--pattern",
    default="",
    metavar="PATH",
    help="Fields from paths, such as '{PatientID}/{study}/{InstanceNumber}.png'.",
)
@click.option(
    "--number",
    "numbers",
    multiple=True,
    callback=pairs,
    metavar="KEYWORD=START",
    help="A column that counts up; repeatable.",
)
@click.option(
    "--set", "constants", multiple=True, callback=pairs, metavar="KEYWORD=VALUE", help="One value for all; repeatable."
)
@click.option("--name-from-stem", is_flag=True, help="PatientName from the file's name.")
@click.option(
    "--with", "facts", multiple=True, metavar="FACT", help="Facts of the files as columns: date, density; repeatable."
)
@click.option("--follow-links", is_flag=True, help="Take links that lead to files outside IMAGES.")
@click.option(
    "--join", type=LOCAL_PATH, metavar="TABLE", help="A table with columns for the images, such as labels.csv."
)
@click.option(
    "--on",
    default="",
    metavar="KEY",
    help="How TABLE names each image: {stem}, {name}, {path}, {folder} or fields of --pattern; '{stem}=Column' names its column too.",
)
@click.option("--from", "dataset", type=LOCAL_PATH, help="A dataset's own CSV: propose a mapping for it.")
@click.option("--encoding", default="utf-8", show_default=True, help="Of that CSV or TABLE.")
def init(images: Path | None, out: Path, dataset: Path | None, encoding: str, **options: object) -> int:
    """Write a manifest of the images in IMAGES, a folder or an archive; or, with --from, a mapping for a dataset's own CSV."""
    from bulkdcm.draft import FolderOptions, draft_manifest, is_archive, is_folder, propose_mapping, write_new
    from bulkdcm.errors import SettingsError
    from bulkdcm.settings import Settings
    from bulkdcm.stores.archives import ENDINGS

    if bool(options["join"]) != bool(options["on"]) or (dataset and options["join"]):
        msg = "--join and --on go together, with a folder of images, such as `--join labels.csv --on {stem}`."
        raise SettingsError(msg)
    if (images is None) == (dataset is None):
        msg = "name either a folder or an archive of images, or a CSV with --from."
        raise SettingsError(msg)
    if dataset:
        text = propose_mapping(dataset, Settings(encoding=encoding).encoding)
        write_new(out, text)
        if questions := text.count("question = "):
            say(f"open questions: {questions:,}. Each is in the file, and `bulkdcm check` repeats it", err=True)
        say(f"{out} written: read and correct it, then `bulkdcm check {dataset} --mapping {out}`")
        return 0
    if images is None or not (is_folder(images) or is_archive(images)):
        msg = f"{images}: no such folder. Name the folder that holds the images."
        if images is not None and os.path.lexists(images):
            msg = (
                f"{images}: this is a file. Name the folder that holds the images, an archive of them "
                f"({', '.join(ENDINGS)}), or a dataset's own CSV with --from."
            )
        raise SettingsError(msg)
    count, notes = draft_manifest(images, out, FolderOptions(encoding=encoding, **options))  # type: ignore[arg-type]  # click has made them
    say(f"{out} written: {count:,} images")
    for note in notes:
        say(note, err=True)
    return 0
