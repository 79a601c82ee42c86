"""Which parts of the package may import which, and which do."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "bulkdcm"
# From the bottom up; those on one line must not import each other.
LAYERS = (
    ("_version", "printable", "interrupts", "surface", "mappings", "help", "names", "toml_file", "settings_file"),
    ("problem",),
    ("errors",),
    ("elements",),
    ("model",),
    ("system", "filesystem", "signals", "dicom_file", "part", "watch"),
    ("engines", "leftovers", "stores"),
    ("settings", "ledger"),
    ("setting_parts",),
    ("uids",),
    ("attributes",),
    ("manifest", "images", "iods", "encode", "report"),
    ("objects",),
    ("template", "validation", "draft"),
    ("proof", "pictures"),
    ("conversion",),
    ("bench", "surroundings"),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))


def layer(path: Path) -> str:
    """Return the layer of a module: its package, or its own name."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Return the layers that a module imports, for types or for real."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("bulkdcm"):
            names = [node.module] if node.module != "bulkdcm" else [f"bulkdcm.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("bulkdcm")]
        found |= {name.split(".")[1] for name in names if "." in name}
    return found
