"""An existing DICOM file as the default of every row: what it says, but not what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm import dicom_file, iods
from bulkdcm.attributes import dictionary, of_one_image, values
from bulkdcm.errors import SettingsError
from bulkdcm.settings import Settings, local_path

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

_MOST_BYTES = 2**30


def read(path: Path, option: str = "") -> Dataset:
    """Return the dataset of a DICOM file without its pixels.

    Parameters
    ----------
    path
        The file.
    option
        Which one named it, for the message.

    Raises
    ------
    SettingsError
        If it is none, or a URL.
    """
    path = local_path("the DICOM file", path)
    try:
        dataset = dicom_file.read(_bytes(path), Settings().max_pixels, stop_before_pixels=True)
        dataset.decode()
    except (Exception, MemoryError) as error:
        msg = f"{option}{' ' if option else ''}{path}: no DICOM file that can be read: {error}. Name one that is whole."
        raise SettingsError(msg) from error
    return dataset


def _bytes(path: Path) -> bytes:
    if path.exists() and not path.is_file():  # a pipe would be waited for
        msg = "not a regular file"
        raise ValueError(msg)
    if (size_bytes := path.stat().st_size) > _MOST_BYTES:
        msg = f"{size_bytes:,} bytes are more than a template's"
        raise ValueError(msg)
    return path.read_bytes()


def defaults(path: Path, *, with_patient: bool) -> tuple[tuple[str, str], ...]:
    """Return the attributes of a DICOM file as defaults for rows: column name and cell text.

    Parameters
    ----------
    path
        The file.
    with_patient
        Its patient too.

    Notes
    -----
    Left out are its identity (UIDs, instance), all that describes its pixels (`attributes.of_one_image`), private attributes,
    and what a cell can't hold. Its SOP class is the default where bulkdcm writes it.
    """
    dataset = read(path, "--template")
    found = []
    if (uid := str(dataset.get("SOPClassUID", ""))) in iods.BY_UID:
        found.append(("sop_class", uid))
    for element in dataset:
        keyword, tag = element.keyword, int(element.tag)
        left_out = of_one_image.of_image(keyword, tag) or (of_one_image.of_patient(keyword, tag) and not with_patient)
        if not left_out and (text := _cell(element)):
            found.append((element.keyword, text))
    return tuple(found)


def _cell(element: DataElement) -> str:
    """Return the element as cell text; empty where it has no value or a cell can't hold it."""
    entry = dictionary.find(element.keyword)
    if (
        entry is None
        or element.keyword in dictionary.OWNED
        or element.VR in {"UI", "OB", "OW", "UN"}
        or element.is_empty
    ):
        return ""
    if element.VR == "SQ":
        if not entry.is_code_sequence:
            return ""
        codes = [
            (
                item.get("CodeValue") or item.get("LongCodeValue"),
                item.get("CodingSchemeDesignator"),
                item.get("CodeMeaning"),
            )
            for item in element.value
        ]
        return "\\".join("^".join(map(str, code)) for code in codes) if all(map(all, codes)) else ""
    parts = element.value if element.VM > 1 else [element.value]
    text = "\\".join(str(part) for part in parts)
    return "" if values.broken_rule(element.keyword, text) else text
