"""``bulkdcm show``: what a DICOM file is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bulkdcm.cli.options import examples
from bulkdcm.cli.output import say
from bulkdcm.cli.paths import LOCAL_PATH

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog=examples("show dicom/a/0001.dcm"))
@click.argument("file", type=LOCAL_PATH)
def show_file(file: Path) -> int:
    """Print the SOP class, transfer syntax and UIDs of a DICOM FILE by name, then its attributes."""
    from pydicom.uid import UID

    from bulkdcm import template

    dataset = template.read(file)
    uids = {
        "SOP Class": UID(str(dataset.get("SOPClassUID", ""))),
        "Transfer Syntax": UID(str(dataset.file_meta.get("TransferSyntaxUID", ""))),
        "Study": UID(str(dataset.get("StudyInstanceUID", ""))),
        "Series": UID(str(dataset.get("SeriesInstanceUID", ""))),
        "Instance": UID(str(dataset.get("SOPInstanceUID", ""))),
    }
    width = max(map(len, uids))
    for name, uid in uids.items():
        known = f"  {uid.name}" if uid.name != uid else ""
        say(f"{name:<{width}}  {uid or '(none)'}{known}")
    say("")
    for element in dataset:
        if not element.tag.is_private and element.VR != "UI" and not element.is_empty:
            value = f"{len(element.value)} items" if element.VR == "SQ" else str(element.value)
            say(f"{element.keyword}  {value[:100]}")
    return 0
