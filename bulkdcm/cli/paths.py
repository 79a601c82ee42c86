"""Paths as options take them: on this machine, and as a settings file may name them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from bulkdcm import mappings
from bulkdcm.settings import local_path


class LocalPath(click.Path):
    """A path on this machine; a URL is refused before it becomes a folder of that name."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """Return the path."""
        name = (
            ""
            if parameter is None
            else (parameter.opts[-1] if parameter.opts[-1].startswith("-") else parameter.human_readable_name)
        )
        return super().convert(local_path(name, os.fsdecode(value)), parameter, context)

    def beside(self, folder: Path, text: str) -> Path:
        """Return the path that a file in `folder` names; a pipe, which would be waited for, or a device is refused."""
        if text.startswith(("//", "\\\\")):
            msg = "it is on another machine, which a settings file may not ask. Give it on the command line"
            raise ValueError(msg)
        path = folder / local_path("the path", text)
        if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
            msg = "it is neither a file nor a folder"
            raise ValueError(msg)
        home = os.path.realpath(folder)
        named = os.path.normpath(os.path.join(home, text))
        if Path(named).is_relative_to(home) and not Path(os.path.realpath(named)).is_relative_to(home):
            msg = "it is a link that leads out of the file's folder. Name the place itself, or give it on the command line"
            raise ValueError(msg)
        return path


class MappingPath(LocalPath):
    """The path of a mapping, or the name of one that comes with bulkdcm."""

    def beside(self, folder: Path, text: str) -> Path:
        """Return the path that a file in `folder` names; a file that is called so comes first."""
        path = super().beside(folder, text)
        return path if os.path.isfile(path) else mappings.find(text) or path


class FolderWithin(LocalPath):
    """A folder to write to, which a file may name only if it is in the file's own folder."""

    def beside(self, folder: Path, text: str) -> Path:
        """Return the path that a file in `folder` names."""
        path = super().beside(folder, text)
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            msg = "it isn't in the file's own folder, the only one that a settings file may write to. Give it on the command line"
            raise ValueError(msg)
        return path


class NewFile(LocalPath):
    """The path of a file that is yet to be made."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """Refuse what is there already, which may be anything, and a folder that isn't."""
        path = super().convert(value, parameter, context)
        if os.path.lexists(path):
            self.fail(f"{path}: there is a file already. Name another, or remove it.", parameter, context)
        if not path.absolute().parent.is_dir():
            self.fail(f"{path.parent}: no such folder. Make it, or name another.", parameter, context)
        return path


LOCAL_PATH, NEW_FILE, MAPPING, FOLDER_WITHIN = LocalPath(), NewFile(), MappingPath(), FolderWithin()
