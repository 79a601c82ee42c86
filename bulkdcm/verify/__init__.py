"""Files reopened and checked for what validators miss: each file against itself."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import config, dcmread

from bulkdcm.parallel import Pool, cut, run_chunks
from bulkdcm.verify import elements, modules, part10, pixels, streams

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydicom.dataset import FileDataset

__all__ = ["Finding", "files_in", "verify", "verify_all"]

_FILE_S = 0.005  # about what one takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing wrong in a file.

    Attributes
    ----------
    path
        The file.
    where
        The attribute, or the part of the file.
    rule
        What it breaks, with the part of the Standard.
    """

    path: str
    where: str
    rule: str

    def __str__(self) -> str:
        return f"{self.path}: {self.where}: {self.rule}"


def verify(path: str | Path) -> tuple[Finding, ...]:
    """Return what is wrong with a DICOM file; nothing where it is right.

    Parameters
    ----------
    path
        The file. One that can't be read is a finding, not an error.
    """
    try:
        return tuple(Finding(path=str(path), where=where, rule=rule) for where, rule in _found(Path(path).read_bytes()))
    except Exception as error:  # noqa: BLE001  # whatever a broken file does to its reader, it is the file's
        return (Finding(path=str(path), where="file", rule=f"can't be read: {type(error).__name__}: {error}"),)


def _found(data: bytes) -> Iterator[tuple[str, str]]:
    wrong = list(part10.check_bytes(data))
    yield from wrong
    if wrong and wrong[0][0] == "preamble":
        return
    with config.disable_value_validation():
        dataset = dcmread(io.BytesIO(data))
        said = set()
        for check in _CHECKS:
            for where, rule in check(dataset):
                said.add(where)
                yield where, rule
        for check in _CHECKS_OF_CLASS:
            yield from (found for found in check(dataset) if found[0] not in said)


def _image(dataset: FileDataset) -> Iterator[tuple[str, str]]:
    if "PixelData" not in dataset and "Rows" not in dataset:
        return
    syntax = dataset.file_meta.TransferSyntaxUID
    wrong = list(pixels.check_module(dataset))
    yield from wrong
    yield from pixels.check_lossy(dataset, str(syntax))
    yield from pixels.check_pointer(dataset)
    if "PixelData" not in dataset:
        yield "PixelData", "missing (PS3.3 C.7.6.3)"
    elif any(rule.endswith("must have it (PS3.3 C.7.6.3)") for _, rule in wrong):
        return
    elif syntax.is_encapsulated:
        if not dataset["PixelData"].is_undefined_length:
            yield "PixelData", "compressed pixels have an undefined length (PS3.5 A.4)"
        else:
            yield from streams.check_encapsulated(dataset, str(syntax), pixels.shape_of(dataset))
    else:
        yield from pixels.check_native(dataset)


# Of every file; of what its SOP class asks for, where those have said nothing of the attribute.
_CHECKS = (elements.check_elements, part10.check_meta, _image)
_CHECKS_OF_CLASS = (modules.check_modules,)


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files named, and of folders the ``.dcm`` files in them, in order."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names) if name.lower().endswith(".dcm"))


def verify_all(paths: Iterable[Path], n_jobs: int = 0) -> Iterator[tuple[int, tuple[Finding, ...]]]:
    """Yield (files checked, what was found in them) as workers finish.

    Parameters
    ----------
    paths
        Files and folders.
    n_jobs
        Workers; 0 for one a core.
    """
    found = [str(path) for path in files_in(paths)]
    pool = Pool(n_jobs=n_jobs, backend="loky")
    if len(found) <= 1:
        pool = Pool(n_jobs=1, backend="sequential")
    chunks = cut(found, len(found), pool.workers, 0, lambda _: _FILE_S)
    for result in run_chunks(_verify_chunk, chunks, pool):
        if isinstance(result, tuple):
            yield result
            continue
        for path in (path for chunk in result.chunks for path in chunk):
            # Alone in a process of its own, which it may take with it.
            alone = Pool(n_jobs=1, backend="loky")
            for single in run_chunks(_verify_chunk, iter([(path,)]), alone):
                lost = (Finding(path=path, where="file", rule="ends the process that reads it"),)
                yield single if isinstance(single, tuple) else (1, lost)
                break


def _verify_chunk(paths: Sequence[str]) -> tuple[int, tuple[Finding, ...]]:
    return len(paths), tuple(finding for path in paths for finding in verify(path))
