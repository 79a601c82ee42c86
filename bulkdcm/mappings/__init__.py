"""Mappings of public datasets, taken by name: one TOML file each, which says in its comments what it was made for."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

_ENDING = ".toml"
_FOLDER = Path(str(resources.files(__name__)))
SCHEMA = _FOLDER / "mapping.schema.json"
"""The JSON schema of mappings; `python -m tests.tables.make_mapping_schema` makes it."""


def names() -> list[str]:
    """Return the names of all mappings in the package, in alphabetical order."""
    return sorted(path.name.removesuffix(_ENDING) for path in _FOLDER.iterdir() if path.name.endswith(_ENDING))


def find(name: str) -> Path | None:
    """Return the file of the mapping that is called so; None if there is none.

    Parameters
    ----------
    name
        As `names` lists it: neither a path nor an ending.
    """
    return _FOLDER / f"{name}{_ENDING}" if name in names() else None
