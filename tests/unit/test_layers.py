"""Imports point one way: errors, model, settings and uids, the layers, the run, cli."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bulkdcm.engines import ENGINES
from bulkdcm.model import IMAGE
from bulkdcm.objects import MAKERS
from bulkdcm.report import WRITERS
from tests.layers import MODULES, PACKAGE, RANK, imported, layer

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_layers_below_its_own(path: Path):
    own = layer(path)
    if own == "__init__":
        return
    for other in imported(path) - {own}:
        assert RANK[other] < RANK[own], f"{own} must not import {other}"


def modules_imported(path: Path) -> set[str]:
    """Return the modules that one imports, for types or for real."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("bulkdcm"):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (whole & NAMES.keys()) or {node.module}
    return found & NAMES.keys()


def named(path: Path) -> str:
    return ".".join(("bulkdcm", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


NAMES = {named(path): path for path in MODULES}


def test_no_modules_import_each_other():
    """Nor do they by way of others, for types or for real."""
    sorter = graphlib.TopologicalSorter({name: modules_imported(path) - {name} for name, path in NAMES.items()})
    sorter.prepare()


def test_every_module_has_a_layer():
    assert {layer(path) for path in MODULES} - {"__init__"} == set(RANK)


def importers(package: str) -> set[str]:
    pattern = (f"import {package}", f"from {package}")
    return {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if any(line.strip().startswith(pattern) for line in path.read_text(encoding="utf-8").splitlines())
    }


def test_only_engines_import_joblib_and_dask():
    assert importers("joblib") == {"engines/joblib_pool.py"}
    assert importers("distributed") == {"engines/cluster.py"}


def test_one_module_decides_who_decodes():
    """The others decode for proof, or stand for themselves, and do without kornia-rs where it isn't."""
    proof = {"validation/decoders.py", "proof/jpeg.py", "bench/floor.py"}
    assert importers("kornia_rs") == {"images/decoders.py"} | proof


# Where loky's frames are known by their file's name; it must import nothing.
NAMES_AN_ENGINE = {"interrupts.py"}


def constants(package: str, names: Collection[str]) -> set[str]:
    """Return where the code outside a package has one of some names as a constant."""
    return {
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in MODULES
        if path.parent.name != package and str(path.relative_to(PACKAGE)) not in NAMES_AN_ENGINE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    }


@pytest.mark.parametrize(
    ("package", "names"),
    [("engines", ENGINES), ("objects", MAKERS.keys() - {IMAGE}), ("report", WRITERS)],
    ids=["engines", "kinds", "report files"],
)
def test_nothing_is_known_by_its_name_outside_its_package(package, names):
    """Others ask it for a fact; else a new one would miss what was decided by the names of the old ones."""
    assert not constants(package, names)


def test_stores_are_known_where_they_are_chosen_and_nowhere_else():
    found = {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if path.parent.name != "stores"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and node.id in {"Local", "Null", "Recognise", "WithArchives"}
    }
    assert found == {"conversion/run.py", "conversion/retelling.py", "conversion/archived.py"}


def test_what_archives_need_is_imported_only_for_them():
    code = (
        "import sys, bulkdcm.conversion.chunk; "
        "print(sorted({'tarfile', 'zstandard', 'pyarrow', 'bulkdcm.stores.with_archives'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    assert done.stdout.strip() == "[]"


def test_only_the_report_imports_pandas():
    assert {name.split("/")[0] for name in importers("pandas")} == {"report"}


def test_workers_start_without_pandas_or_the_command_line():
    code = (
        "import sys, bulkdcm.conversion.chunk; print(sorted({'pandas', 'click', 'rich', 'joblib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    assert done.stdout.strip() == "[]"
