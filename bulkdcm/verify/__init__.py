"""Files reopened and checked for what validators miss: each file against itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import config
from pydicom.uid import UID

from bulkdcm import dicom_file
from bulkdcm.parallel import Pool, cut, run_chunks
from bulkdcm.printable import shown
from bulkdcm.settings import Settings
from bulkdcm.verify import elements, modules, part10, pixels, streams

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydicom.dataset import FileDataset

__all__ = ["Finding", "files_in", "verify", "verify_all"]

MAX_PIXELS = Settings().max_pixels
_MOST = 100  # findings of one file
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
        return shown(f"{self.path}: {self.where}: {self.rule}")


def verify(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> tuple[Finding, ...]:
    """Return what is wrong with a DICOM file; nothing where it is right.

    Parameters
    ----------
    path
        The file. One that can't be read is a finding, not an error.
    max_pixels
        Frames with more are not decoded, which is a finding.
    """
    found: list[tuple[str, str]] = []
    try:
        found.extend(islice(_found(Path(path).read_bytes(), max_pixels), _MOST))
        if len(found) == _MOST:
            found.append(("file", "the rest was not looked at: nothing seems right in it"))
    except Exception as error:  # noqa: BLE001  # whatever a broken file does to its reader, it is the file's
        found.append(("file", f"can't be read: {type(error).__name__}: {error}"))
    return tuple(Finding(path=str(path), where=where, rule=rule) for where, rule in found)


def _found(data: bytes, max_pixels: int) -> Iterator[tuple[str, str]]:
    wrong = list(part10.check_bytes(data))
    yield from wrong
    if wrong and wrong[0][0] == "preamble":
        return
    with config.disable_value_validation():
        try:
            dataset = dicom_file.read(data, max_pixels)
        except dicom_file.InflationError as error:
            yield "file", f"{error} (PS3.5 A.5)"
            return
        said = set()
        for where, rule in _by_itself(dataset, max_pixels):
            said.add(where)
            yield where, rule
        # One attribute, one message.
        yield from ((where, rule) for where, rule in _of_its_class(dataset) if where not in said)


def _by_itself(dataset: FileDataset, max_pixels: int) -> Iterator[tuple[str, str]]:
    """Yield what contradicts itself, whatever the file is."""
    yield from elements.check_elements(dataset)
    yield from part10.check_meta(dataset)
    yield from _image(dataset, max_pixels)


def _of_its_class(dataset: FileDataset) -> Iterator[tuple[str, str]]:
    """Yield what the Standard asks of its attributes together: modules, and conditions between attributes."""
    yield from modules.check_modules(dataset)


def _image(dataset: FileDataset, max_pixels: int) -> Iterator[tuple[str, str]]:
    if "PixelData" not in dataset and "Rows" not in dataset:
        return
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    wrong = list(pixels.check_module(dataset))
    yield from wrong
    if not isinstance(syntax, UID):
        return
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
            yield from streams.check_encapsulated(dataset, str(syntax), pixels.shape_of(dataset), max_pixels)
    else:
        yield from pixels.check_native(dataset)


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files named, and of folders the ``.dcm`` files in them, in order."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names) if name.lower().endswith(".dcm"))


def verify_all(
    paths: Iterable[Path], n_jobs: int = 0, max_pixels: int = MAX_PIXELS
) -> Iterator[tuple[int, tuple[Finding, ...]]]:
    """Yield (files checked, what was found in them) as workers finish.

    Parameters
    ----------
    paths
        Files and folders.
    n_jobs
        Workers; 0 for one a core.
    max_pixels
        As `verify` has it.
    """
    check = partial(_verify_chunk, max_pixels=max_pixels)
    found = [str(path) for path in files_in(paths)]
    pool = Pool(n_jobs=n_jobs, backend="loky")
    if len(found) <= 1:
        pool = Pool(n_jobs=1, backend="sequential")
    chunks = cut(found, len(found), pool.workers, 0, lambda _: _FILE_S)
    for result in run_chunks(check, chunks, pool):
        if isinstance(result, tuple):
            yield result
            continue
        for path in (path for chunk in result.chunks for path in chunk):
            # Alone in a process of its own, which it may take with it.
            alone = Pool(n_jobs=1, backend="loky")
            for single in run_chunks(check, iter([(path,)]), alone):
                lost = (Finding(path=path, where="file", rule="ends the process that reads it"),)
                yield single if isinstance(single, tuple) else (1, lost)
                break


def _verify_chunk(paths: Sequence[str], max_pixels: int) -> tuple[int, tuple[Finding, ...]]:
    return len(paths), tuple(finding for path in paths for finding in verify(path, max_pixels=max_pixels))
