"""A manifest's settings file: where it is, and what may not be in it, since it may have come with somebody's data."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

NAME = "bulkdcm.toml"


class ByHand(NamedTuple):
    """Why an option is given by hand, in no settings file.

    Attributes
    ----------
    why
        The reason, a sentence that begins with "it".
    kept
        Whether `bulkdcm convert OUT`, which goes on with a run, asks for the option again.
    """

    why: str
    kept: bool = False


ONE_RUN = ByHand("it is about one run")
FILES_GO = ByHand("it lets files be replaced or removed")
OTHERS_CODE = ByHand("it says whose code runs here")
FILE_TO_WRITE = ByHand("it names a file to write")
READS_OUTSIDE = ByHand("it lets a run read outside the image root")
TELLS = ByHand("it says who is told what")


def settings_file(manifest: Path) -> Path:
    """Return where a manifest's settings file is: beside a file, in a folder."""
    is_folder = os.path.isdir(manifest)  # noqa: PTH112  # of one that nobody may look into, Path raises
    return (manifest if is_folder else manifest.parent) / NAME
