"""Write CONFORMANCE.md from the declarations: ``python -m tests.tables.make_conformance``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bulkdcm import iods, uids
from bulkdcm.attributes import dictionary
from bulkdcm.encode import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from bulkdcm.encode.codecs import CODECS
from bulkdcm.encode.part10 import _NATIVE
from bulkdcm.images.jpeg_coding import BASELINE, EXTENDED, LOSSLESS, LOSSLESS_SV1
from bulkdcm.model import Frame, ManifestRow
from tests.conformance.cases import COMMON, COMPLETE

PAGE = Path(__file__).parents[2] / "CONFORMANCE.md"
_UIDS = {
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "FrameOfReferenceUID",
    "SynchronizationFrameOfReferenceUID",
}
_NAMES = {
    "1.2.840.10008.1.2": "Implicit VR Little Endian",
    "1.2.840.10008.1.2.1": "Explicit VR Little Endian",
    "1.2.840.10008.1.2.1.99": "Deflated Explicit VR Little Endian",
    "1.2.840.10008.1.2.4.50": "JPEG Baseline (Process 1)",
    "1.2.840.10008.1.2.4.51": "JPEG Extended (Process 2 and 4)",
    "1.2.840.10008.1.2.4.57": "JPEG Lossless (Process 14)",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless SV1 (Process 14)",
    "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 Lossless Only",
    "1.2.840.10008.1.2.4.201": "High-Throughput JPEG 2000 Lossless Only",
    "1.2.840.10008.1.2.5": "RLE Lossless",
}


def page() -> str:
    """Return the whole page."""
    parts = [
        _HEAD,
        "## SOP Classes\n\nWritten to files (PS3.10 File-set Creator of single files); no network services.\n\n",
        _table(
            ("SOP Class", "UID", "PS3.3"), [(iod.keyword, f"`{iod.sop_class_uid}`", iod.section) for iod in iods.IODS]
        ),
        "\nA DICOM file as the source keeps its own SOP Class, whatever it is.\n\n## Transfer Syntaxes\n\n",
        _transfer_syntaxes(),
        _TEXT,
        "## Attributes by SOP Class\n\n",
        _SOURCES,
        *(_attributes(iod) for iod in iods.IODS),
    ]
    return "".join(parts)


_SOURCES = (
    "Where each value comes from. **manifest**: the row's cell, or a `--set` or `--template` default. **image**: the "
    "pixels or the stream. **fixed**: always this. **derived**: see UIDs. Any other attribute of the data dictionary "
    "that a row has is written too.\n"
)


def _transfer_syntaxes() -> str:
    rows = [
        (f"`{uid}`", _NAMES[uid], f"native pixels, `--transfer-syntax {name}`")
        for name, uid in _NATIVE.items()
        if name != "auto"
    ]
    rows += [
        (f"`{uid}`", _NAMES[uid], "JPEG sources of that process, the compressed bytes as they are")
        for uid in (BASELINE, EXTENDED, LOSSLESS, LOSSLESS_SV1)
    ]
    rows += [
        (
            f"`{codec.transfer_syntax_uid}`",
            _NAMES[codec.transfer_syntax_uid],
            f"`--transfer-syntax {name}{':QUALITY' if codec.method else ''}`, from {', '.join(sorted(codec.kinds))}",
        )
        for name, codec in CODECS.items()
    ]
    return _table(("UID", "name", "written for"), rows)


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (heads, ("---",) * len(heads), *rows))


def _attributes(iod: iods.registry.IOD) -> str:
    required = dict(iod.required)
    empty = {keyword for module in iod.modules for keyword in module.empty}
    defaults = {keyword: text for module in iod.modules for keyword, text in module.defaults}
    rows = []
    for element in _sample(iod):
        keyword = element.keyword
        if keyword in _UIDS:
            source = "manifest, else derived"
        elif keyword == "SOPClassUID":
            source = f"fixed: {iod.sop_class_uid}"
        elif keyword == "SpecificCharacterSet":
            source = "fixed: ISO_IR 192"
        elif keyword in dictionary.OWNED:
            source = "image"
        elif keyword in required:
            source = "manifest, required"
        elif keyword in defaults:
            source = f"manifest, else {defaults[keyword]}"
        elif keyword == "Modality":
            source = f"manifest, else {iod.modalities[0] if iod.modalities else 'OT'}"
        elif keyword in empty:
            source = "manifest, else empty"
        else:
            source = "manifest, else from the image or other attributes"
        rows.append((f"({element.tag.group:04X},{element.tag.element:04X})", keyword, source))
    modules = ", ".join(f"{module.name} ({module.section})" for module in dict.fromkeys(iod.modules) if module.section)
    return f"\n### {iod.keyword}\n\nModules: {modules}.\n\n" + _table(("tag", "attribute", "source"), rows)


def _sample(iod: iods.registry.IOD) -> list[object]:
    """Return the elements of an object of a row that gives only what is required."""
    kind = max(iod.pixel_kinds)
    pixels = np.zeros((2, 2, 3) if kind.startswith("rgb") else (2, 2), np.uint16 if kind.endswith("16") else np.uint8)
    frame = Frame(
        rows=2, columns=2, samples_per_pixel=3 if pixels.ndim == 3 else 1, bits_stored=pixels.itemsize * 8,
        photometric_interpretation="RGB" if pixels.ndim == 3 else "MONOCHROME2", pixels=pixels,
    )  # fmt: skip
    required = {keyword: ({**COMMON, **COMPLETE[iod.alias]})[keyword] for keyword, _ in iod.required}
    row = ManifestRow(
        ordinal=0, line=2, source="a.png", output="a.dcm", sop_class_uid=iod.sop_class_uid,
        attributes={"Modality": iod.modalities[0] if iod.modalities else "OT", **required},
    )  # fmt: skip
    return [*iods.build(row, frame, uids.assign(row, "0" * 64, "")).dataset()]


_HEAD = """# DICOM Conformance Statement

In the shape of PS3.2 as far as it applies to a program that writes files. Made from the declarations in `bulkdcm/iods` and
`bulkdcm/encode` by `python -m tests.tables.make_conformance`; a test holds it to them.

## Overview

bulkdcm converts images (PNG, JPEG, BMP, TIFF, WebP, GIF) and the cells of a CSV manifest to DICOM files, and re-stamps DICOM
files. It creates no DICOMDIR and has no network services.

"""
_TEXT = f"""
## Files

| item | value |
| --- | --- |
| Implementation Class UID | `{IMPLEMENTATION_CLASS_UID}` |
| Implementation Version Name | `{IMPLEMENTATION_VERSION_NAME}`, the same for every release |
| File Meta Information | version, the five UIDs above and of PS3.10 7.1; no Source Application Entity Title |
| Basic Offset Table | written; one fragment a frame. An Extended Offset Table from 4 GiB on |

## Character Sets

ISO_IR 192 (UTF-8) in every file. Texts are checked against the lengths of PS3.5 6.2 in characters. A DICOM source in another
character set is converted.

## UIDs

A UID in the manifest is kept. Others are `2.25.` and a UUID of version 8 (PS3.5 B.2, RFC 9562) whose bits are SHA-256, or with
a key HMAC-SHA256, of the level and its fields, each NFC-normalised and preceded by its length. Study: {", ".join(uids.STUDY_KEYS)}.
Series: the study's UID, {", ".join(uids.SERIES_KEYS)}, SOP Class. Instance: the series' UID, `instance` or else the source's path, the
source's SHA-256, and the options that change pixels. Frame of reference: the series' UID. Of a re-stamped file its own UIDs are
keys too.

## Private attributes

None are written. Those of a DICOM source stay.

## Known limits

- A JPEG whose scan ends early but has its End Of Image marker is passed through: nothing short of decoding it tells.
- Bytes of compressed transfer syntaxes may differ between releases of their codecs; the decoded pixels don't.
- Attributes that an IOD has no place for are written when the manifest has them, as a Standard Extended SOP Class (PS3.4 B.4.2), with a warning.
- The conditions of Type 1C and 2C attributes are checked where the tables of `bulkdcm classes` say so, no further.

"""

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
