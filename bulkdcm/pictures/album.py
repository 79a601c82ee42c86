"""The pictures of a report, each made small; what can't be shown says why."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageFile
from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from bulkdcm import dicom_file
from bulkdcm.errors import ReadError
from bulkdcm.pictures import render
from bulkdcm.report.look import Picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bulkdcm.report.look import Patient, Wanted
    from bulkdcm.stores import Store

SIDE = 176  # pixels, at twice the size that the page shows them
_QUALITY = 80
_MAX_PIXELS, _MAX_BYTES = 50_000_000, 400_000_000
_END = re.compile(r"[.,:]\s|[.]$")
_PATIENT = ["PatientID", "PatientName"]


@dataclass(frozen=True, slots=True)
class Album:
    """Pictures of rows.

    Parameters
    ----------
    outputs
        Where the outputs are.
    sources
        Where the sources are; None if it isn't known.
    """

    outputs: Store
    sources: Store | None

    def pictures(self, wanted: Sequence[Wanted]) -> list[Picture]:
        """Return the picture of each row, in their order."""
        return [self._picture(one) for one in wanted]

    def patient_of(self, output: str) -> Patient:
        """Return the patient that an output says it is of; empty texts where it doesn't, or can't be read."""
        try:
            with self.outputs.open(output) as file:
                found = dcmread(file, stop_before_pixels=True, specific_tags=_PATIENT)
        except (OSError, InvalidDicomError, ValueError):
            return "", ""
        return str(found.get("PatientID") or ""), str(found.get("PatientName") or "")

    def _picture(self, wanted: Wanted) -> Picture:
        """Return one picture. Whatever a decoder or a damaged file may raise, there is a report all the same."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                if wanted.converted:
                    return _small(*render.shown(_read(self.outputs, wanted.output), _MAX_PIXELS))
                return _small(_opened(_read(self.sources, wanted.source)), "the source")
            except render.NotShown as error:
                return Picture(said=str(error))
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException:  # noqa: BLE001  # panics of Rust are no Exception
                return Picture(said="it can't be opened as an image")


def _read(store: Store | None, name: str) -> bytes:
    """Return a file, read as carefully as a run reads its sources."""
    if store is None:
        msg = "it isn't known where the sources are"
        raise render.NotShown(msg)
    found = store.stat(name)
    if found and found.size_bytes > _MAX_BYTES:
        msg = "too large for a small picture"
        raise render.NotShown(msg)
    try:
        return store.read(name).data
    except ReadError as error:
        told = _END.split(str(error).removeprefix(f"{name}: "))[0]  # what comes then may be a path
        raise render.NotShown(told[:1].lower() + told[1:]) from error


def _opened(data: bytes) -> Image.Image:
    """Return a source as far as it can be decoded; of one that is cut off, what there is."""
    if data[dicom_file.META - 4 : dicom_file.META] == b"DICM":
        return render.shown(data, _MAX_PIXELS)[0]
    with Image.open(io.BytesIO(data)) as image:
        if image.width * image.height > _MAX_PIXELS:
            msg = "too large for a small picture"
            raise render.NotShown(msg)
        image.draft("RGB", (2 * SIDE, 2 * SIDE))  # a JPEG is decoded small
        with _what_there_is():
            image.load()
        return render.gray_or_color(image)


@contextlib.contextmanager
def _what_there_is() -> Iterator[None]:
    """Within the block, Pillow leaves the rest of an image that is cut off black: it shows where the end is."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _small(image: Image.Image, said: str) -> Picture:
    """Return an image as a small JPEG."""
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return Picture(file.getvalue(), image.width, image.height, said)
