"""A DICOM file as the source: new metadata from the row; its SOP class, transfer syntax and pixels stay as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from bulkdcm import dicom_file, uids
from bulkdcm.attributes import values
from bulkdcm.encode import encode_file
from bulkdcm.errors import PixelError
from bulkdcm.objects.base import Made

if TYPE_CHECKING:
    from collections.abc import Sequence as Sources

    from pydicom.dataset import FileDataset

    from bulkdcm.model import InstanceUIDs, ManifestRow, Source
    from bulkdcm.objects.base import Making

_PREAMBLE = 128
_DESCRIPTION = "Re-stamped by bulkdcm: metadata changed, pixels the same"
_ONCE = (
    ("TransferSyntaxUID", "meta", "PS3.10 7.1"),
    ("SOPClassUID", "dataset", "PS3.3 C.12.1"),
    ("SOPInstanceUID", "dataset", "PS3.3 C.12.1"),
)
_NUMBERS = ("Rows", "Columns", "BitsStored", "SamplesPerPixel")
_UIDS = {0x00080018: "sop_instance_uid", 0x0020000D: "study_instance_uid", 0x0020000E: "series_instance_uid"}


class Restamp:
    """A DICOM file, stamped anew."""

    endings: ClassVar[tuple[str, ...]] = (".dcm", ".dicom")
    output_schema: ClassVar[int] = 2  # 2: two copies of one file get two SOP Instance UIDs
    called_up_schema: ClassVar[int] = 2
    refers: ClassVar[bool] = False

    def depends_on(self, row: ManifestRow) -> tuple[str, ...]:  # noqa: ARG002  # see `Maker`
        """Return nothing: what the file refers to, it brings with it."""
        return ()

    def read(self, row: ManifestRow, sources: Sources[Source], making: Making) -> FileDataset:  # noqa: ARG002  # as above
        """Return the file's data set."""
        making.enter("decode")
        (source,) = sources
        return read_dicom(source, making.settings.max_pixels)

    def size_bytes(self, content: FileDataset) -> int:
        """Return the size of the pixels."""
        return len(content.get("PixelData") or b"")

    def make(self, row: ManifestRow, sources: Sources[Source], content: FileDataset, making: Making) -> Made:
        """Return the object."""
        (source,) = sources
        making.enter("build")
        instance = assign(row, content, source.sha256, making.uid_key)
        dataset = restamp(row, content, instance)
        making.enter("encode")
        transfer_syntax_uid = str(dataset.file_meta.TransferSyntaxUID)
        return Made(
            data=[encode_file(dataset, transfer_syntax_uid)],
            uids=instance,
            sop_class_uid=str(dataset.SOPClassUID),
            transfer_syntax_uid=transfer_syntax_uid,
            photometric_interpretation=str(dataset.get("PhotometricInterpretation", "")),
            rows=int(dataset.get("Rows") or 0),
            columns=int(dataset.get("Columns") or 0),
            bits_stored=int(dataset.get("BitsStored") or 0),
            samples_per_pixel=int(dataset.get("SamplesPerPixel") or 0),
            decisions=("re-stamped: pixels and transfer syntax as they were",),
        )


def is_dicom(data: bytes) -> bool:
    """Whether `data` is a Part 10 file (PS3.10 7.1)."""
    return data[_PREAMBLE : _PREAMBLE + 4] == b"DICM"


def read_dicom(source: Source, max_pixels: int) -> FileDataset:
    """Return the dataset of a DICOM file, its texts decoded.

    Parameters
    ----------
    source
        The file.
    max_pixels
        That a deflated one may have.

    Raises
    ------
    PixelError
        If it is none, can't be read to its end, or doesn't say what it is.
    """
    if not is_dicom(source.data):
        msg = f"{source.path}: no DICOM file, which sop_class DICOM re-stamps. Leave the cell empty for an image."
        raise PixelError(msg)
    try:
        dataset = dicom_file.read(source.data, max_pixels)
        dataset.decode()
        problem = _undecided(dataset)
    except Exception as error:
        msg = f"{source.path}: the DICOM file can't be read: {error}. Fetch the file again."
        raise PixelError(msg) from error
    if problem:
        msg = f"{source.path}: {problem}. Fetch the file again."
        raise PixelError(msg)
    return dataset


def _undecided(dataset: FileDataset) -> str:
    """Return what a file that is to be re-stamped must say of itself, once, and doesn't."""
    for keyword, level, section in _ONCE:
        value = (dataset.file_meta if level == "meta" else dataset).get(keyword)
        if not value:
            return f"the DICOM file has no {keyword} ({section})"
        if not isinstance(value, str):
            return f"the DICOM file has several values in {keyword} ({section})"
    for keyword in _NUMBERS:
        dicom_file.one_number(dataset, keyword)
    return ""


def assign(row: ManifestRow, dataset: Dataset, source_sha256: str, key: bytes) -> InstanceUIDs:
    """Return the UIDs of a re-stamped file: the row's where given, else derived from what it is and was.

    What the row doesn't say is the file's, and its own UIDs are keys: files of one study stay together where the row gives
    them nothing that tells them apart.
    """
    fields = {name for name in (*uids.STUDY_KEYS, *uids.SERIES_KEYS) if name[0].isupper()}
    own = {name: str(dataset.get(name) or "") for name in fields}
    known = replace(
        row,
        sop_class_uid=str(dataset.SOPClassUID),
        attributes={**own, **row.attributes},
        study=f"{row.study}\n{dataset.get('StudyInstanceUID', '')}",
        series=f"{row.series}\n{dataset.get('SeriesInstanceUID', '')}",
        instance=f"{row.instance or row.place}\n{dataset.SOPInstanceUID}",  # two copies of a file are two rows
    )
    return uids.assign(known, source_sha256, "", key)


def restamp(row: ManifestRow, dataset: FileDataset, instance: InstanceUIDs) -> FileDataset:
    """Put the row's attributes and UIDs into `dataset`, and where it comes from, and return it.

    Parameters
    ----------
    row
        Its attributes have passed the preflight; an empty cell leaves the file's value.
    dataset
        As `read_dicom` gives it.
    instance
        Of the new object.
    """
    before = (str(dataset.SOPClassUID), str(dataset.SOPInstanceUID))
    for keyword, text in row.attributes.items():
        dataset.add(values.element(keyword, values.person_name(text) if keyword == "PatientName" else text))
    dataset.add(DataElement(0x00080005, "CS", "ISO_IR 192"))
    for tag, name in _UIDS.items():
        dataset.add(DataElement(tag, "UI", getattr(instance, name)))
    if instance.sop_instance_uid != before[1]:
        _record_source(dataset, *before)
    return dataset


def _record_source(dataset: Dataset, sop_class_uid: str, sop_instance_uid: str) -> None:
    """Say which object it was made from (PS3.3 C.7.6.1, C.12.4)."""
    item = Dataset()
    item.add(DataElement(0x00081150, "UI", sop_class_uid))
    item.add(DataElement(0x00081155, "UI", sop_instance_uid))
    dataset.add(DataElement(0x00082112, "SQ", Sequence([item])))
    dataset.add(values.element("DerivationDescription", _DESCRIPTION))
