"""Pages that travel with the program: the same Markdown in the terminal, offline, and on the web."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

_FOLDER = Path(str(resources.files(__name__)))
_ENDING = ".md"
TOPICS = (
    "start",
    "start-zh",
    "manifest",
    "mappings",
    "classes",
    "pixels",
    "uids",
    "resume",
    "report",
    "verify",
    "scale",
    "python",
    "privacy",
    "windows",
    "options",
)
"""In the order in which people need them."""


def path_of(topic: str) -> Path:
    """Return the file of a topic."""
    return _FOLDER / f"{topic}{_ENDING}"


def page(topic: str) -> str:
    """Return the Markdown of a topic, without the marks that its tables are made between."""
    text = path_of(topic).read_text(encoding="utf-8")
    return re.sub(r"<!-- [^>]* -->\n", "", text)


def title(topic: str) -> str:
    """Return what a topic is about, in a few words."""
    first = path_of(topic).read_text(encoding="utf-8").partition("\n")[0]
    return first.partition(": ")[2]
