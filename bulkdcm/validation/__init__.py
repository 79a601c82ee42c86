"""Files reopened and checked for what validators miss: each file against itself."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING

from pydicom import config
from pydicom.uid import UID

from bulkdcm import dicom_file
from bulkdcm.attributes import conditions
from bulkdcm.engines import IN_PROCESS, PROCESSES, Job, Recovery, Workers, cut, guard
from bulkdcm.errors import SettingsError
from bulkdcm.printable import visible
from bulkdcm.settings import Settings, local_path
from bulkdcm.validation import like, modules, part10, pixels, streams, values
from bulkdcm.validation.expressions import Texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pydicom.dataset import FileDataset

__all__ = ["Finding", "checked", "verify", "verify_all"]

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
        return visible(f"{self.path}: {self.where}: {self.rule}")


def verify(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> tuple[Finding, ...]:
    """Return what is wrong with a DICOM file; nothing where it is right.

    Parameters
    ----------
    path
        The file. One that can't be read is a finding, not an error.
    max_pixels
        Frames with more are not decoded, which is a finding.

    Raises
    ------
    SettingsError
        If it is a URL.
    """
    file = local_path("verify", path)
    found: list[tuple[str, str]] = []
    try:
        if not file.is_file() and file.exists():  # a pipe would be waited for
            return (Finding(path=str(path), where="file", rule="can't be read: no regular file"),)
        found.extend(islice(_found(file.read_bytes(), max_pixels), _MOST))
        if len(found) == _MOST:
            found.append(("file", "the rest was not looked at: nothing seems right in it"))
    except Exception as error:  # noqa: BLE001  # whatever a broken file does to its reader, it is the file's
        found.append(("file", f"can't be read: {type(error).__name__}: {error}"))
    return tuple(Finding(path=str(path), where=where, rule=rule) for where, rule in found)


def checked(data: bytes, max_pixels: int = MAX_PIXELS, dataset: FileDataset | None = None) -> list[tuple[str, str]]:
    """Return (where, rule) of what is wrong with the bytes of a file, as `verify` does of a file.

    Parameters
    ----------
    data
        The whole file.
    max_pixels
        As there.
    dataset
        The data set read of it, if it has been, and no element of it was asked for.
    """
    try:
        return list(islice(_found(data, max_pixels, dataset), _MOST))
    except Exception as error:  # noqa: BLE001  # as there
        return [("file", f"can't be read: {type(error).__name__}: {error}")]


def _found(data: bytes, max_pixels: int, dataset: FileDataset | None = None) -> Iterator[tuple[str, str]]:
    wrong = list(part10.check_bytes(data))
    yield from wrong
    if wrong and wrong[0][0] == "preamble":
        return
    with config.disable_value_validation():
        try:
            dataset = dataset or dicom_file.read(data, max_pixels)
        except dicom_file.InflationError as error:
            yield "file", f"{error} (PS3.5 A.5)"
            return
        alike = like.key_of(dataset)
        said = set()
        for where, rule in _by_itself(dataset, max_pixels):
            said.add(where)
            yield where, rule
        # One attribute, one message.
        yield from (
            (where, rule) for where, rule in like.told(alike, partial(_of_its_class, dataset)) if where not in said
        )


def _by_itself(dataset: FileDataset, max_pixels: int) -> Iterator[tuple[str, str]]:
    """Yield what contradicts itself, whatever the file is."""
    yield from values.check_values(dataset)
    yield from part10.check_meta(dataset)
    yield from _image(dataset, max_pixels)


def _of_its_class(dataset: FileDataset) -> Iterator[tuple[str, str]]:
    """Yield what the Standard asks of its attributes together: modules, and conditions between attributes."""
    said = set()
    for where, rule in modules.check_modules(dataset):
        said.add(where)
        yield where, rule
    for breach in conditions.broken(Texts(dataset), str(dataset.get("SOPClassUID") or "")):
        # One cause, one message: what is missing was said of the attribute, or of the one that needs it.
        if said.isdisjoint((breach.keyword, *breach.others)):
            said.add(breach.keyword)
            yield breach.keyword, breach.rule


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


def _files_in(path: Path) -> tuple[list[str], list[Finding]]:
    """Return a file, or the ``.dcm`` files of a folder in order; and its folders that can't be listed.

    Raises
    ------
    SettingsError
        If nothing is there, so that nothing checked isn't taken for nothing wrong.
    """
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        what = "no such file or folder" if missing else getattr(error, "strerror", None) or error
        msg = f"{path}: {what}. Name DICOM files, or folders of them."
        raise SettingsError(msg) from error
    if not is_folder:
        return [str(path)], []
    files: list[str] = []
    unlisted: list[OSError] = []
    for folder, folders, names in os.walk(path, onerror=unlisted.append):
        folders.sort()
        files += [f"{folder}/{name}" for name in sorted(names) if name.lower().endswith(".dcm")]
    if not files and not unlisted:
        msg = f"{path}: no DICOM file in it: none whose name ends with .dcm. Name the folder that holds them."
        raise SettingsError(msg)
    rule = "can't be listed, so nothing in it was verified: {}"
    return files, [
        Finding(path=str(error.filename), where="folder", rule=rule.format(error.strerror)) for error in unlisted
    ]


def verify_all(
    paths: Iterable[str | Path], n_jobs: int = 0, max_pixels: int = MAX_PIXELS
) -> Iterator[tuple[int, tuple[Finding, ...]]]:
    """Yield (files checked, what was found in them) as workers finish.

    Parameters
    ----------
    paths
        Files and folders. A folder that can't be listed is a finding.
    n_jobs
        Workers; 0 for one per core.
    max_pixels
        As `verify` has it.

    Raises
    ------
    SettingsError
        At once, where a path isn't there or is a URL, or a folder has no DICOM file in it.
    """
    listed = [_files_in(local_path("verify", path)) for path in paths]
    found = [file for files, _ in listed for file in files]
    return _verified(found, [finding for _, unlisted in listed for finding in unlisted], n_jobs, max_pixels)


def _verified(
    found: Sequence[str], unlisted: Sequence[Finding], n_jobs: int, max_pixels: int
) -> Iterator[tuple[int, tuple[Finding, ...]]]:
    if unlisted:
        yield 0, tuple(unlisted)
    engine = PROCESSES if len(found) > 1 else IN_PROCESS
    workers = Workers(count=engine.workers(n_jobs, ""))
    chunks = cut(enumerate(found), len(found), workers.count, 0, lambda _: _FILE_S)
    job: Job[tuple[int, str], tuple[int, tuple[Finding, ...]]] = Job(
        run=partial(_verify_chunk, max_pixels=max_pixels), number=itemgetter(0), give_up=_given_up
    )
    yield from Recovery(job, chunks, engine, workers)


def _given_up(item: tuple[int, str], *, late: bool) -> tuple[int, tuple[Finding, ...]]:
    del late
    return 1, (Finding(path=item[1], where="file", rule="ends the process that reads it"),)


def _verify_chunk(items: Sequence[tuple[int, str]], max_pixels: int) -> tuple[int, tuple[Finding, ...]]:
    found: list[Finding] = []
    for number, path in items:
        guard.begin(number)
        found += verify(path, max_pixels=max_pixels)
        guard.end()
    return len(items), tuple(found)
