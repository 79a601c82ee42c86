"""A complete row for each SOP class, images of each pixel kind, and their conversion under each transfer syntax."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
from PIL import Image

import bulkdcm
from bulkdcm.encode.codecs import CODECS
from bulkdcm.iods import IODS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bulkdcm.model import IOD

# What every class takes; and what a class can't do without, or would look bare without.
COMMON = {
    "PatientID": "0012",
    "PatientName": "Zhang^San=张^三",
    "PatientBirthDate": "19700102",
    "PatientSex": "F",
    "StudyDate": "20230726",
    "StudyTime": "101500",
    "StudyID": "1",
    "AccessionNumber": "A1",
    "SeriesNumber": "1",
}
PROJECTION = {
    "ImageLaterality": "L",
    "PatientOrientation": "L\\F",
    "ImagerPixelSpacing": "0.143\\0.143",
    "BurnedInAnnotation": "NO",
    "PixelIntensityRelationship": "LOG",
    "PixelIntensityRelationshipSign": "-1",
    "LossyImageCompression": "00",
}
SLICE = {
    "BodyPartExamined": "CHEST",
    "ImagePositionPatient": "0\\0\\0",
    "ImageOrientationPatient": "1\\0\\0\\0\\1\\0",
    "PixelSpacing": "0.7\\0.7",
    "ImageType": "ORIGINAL\\PRIMARY\\AXIAL",
}
EYE = {
    "ImageLaterality": "R",
    "AcquisitionDateTime": "20230726101500",
    "AcquisitionDeviceTypeCodeSequence": "409898007^SCT^Fundus Camera",
    "AnatomicRegionSequence": "5665001^SCT^Retina",
    "BurnedInAnnotation": "NO",
    "LossyImageCompression": "00",
    "ImageType": "ORIGINAL\\PRIMARY",
    "FrameTime": "40",
    "PixelSpacing": "0.007\\0.007",
}
COMPLETE: dict[str, dict[str, str]] = {
    "SC": {"BodyPartExamined": "CHEST"},
    "CR": {"BodyPartExamined": "HAND", "ViewPosition": "PA", "ImageLaterality": "L"},
    "US": {"BodyPartExamined": "LIVER"},
    "XC": {"ImageLaterality": ""},
    "ES": {"BodyPartExamined": "STOMACH"},
    "GM": {},
    **{name: {"BodyPartExamined": "CHEST", "BurnedInAnnotation": "NO"} for name in ("SC-BYTE", "SC-WORD", "SC-COLOR")},
    "DX": PROJECTION | {"BodyPartExamined": "HAND"},
    "MG": PROJECTION
    | {
        "BodyPartExamined": "BREAST",
        "PatientOrientation": "A\\F",
        "PositionerType": "MAMMOGRAPHIC",
        "ViewCodeSequence": "399162004^SCT^cranio-caudal",
    },
    "IO": PROJECTION
    | {
        "PositionerType": "NONE",
        "AnatomicRegionSequence": "661005^SCT^Jaw region",
        "PrimaryAnatomicStructureSequence": "39481002^SCT^Tooth",
    },
    "CT": SLICE | {"RescaleIntercept": "-1024", "RescaleSlope": "1", "RescaleType": "HU", "PatientPosition": "HFS"},
    "MR": SLICE
    | {
        "ImageType": "ORIGINAL\\PRIMARY\\OTHER",
        "ScanningSequence": "SE",
        "SequenceVariant": "NONE",
        "PatientPosition": "HFS",
    },
    "OP8": EYE,
    "OP16": EYE,
    "SM": {"ContainerIdentifier": "S23-1 A1", "SpecimenIdentifier": "S23-1 A1", "SpecimenUID": "1.2.3.4"},
    "DERM": {
        "Manufacturer": "A",
        "ManufacturerModelName": "B",
        "DeviceSerialNumber": "1",
        "SoftwareVersions": "1.0",
        "RecognizableVisualFeatures": "NO",
    },
}
IMAGES_A_CASE = 3
FRAMES = " frames"  # the images of such a kind are the frames of one object
# Streams by the pixels they hold and what they are called.
JPEG_KINDS = {
    "jpeg gray": ("gray8", "MONOCHROME2"),
    "jpeg deep": ("gray16", "MONOCHROME2"),
    "jpeg ycbcr": ("rgb8", "YBR_FULL_422"),
    "jpeg rgb": ("rgb8", "RGB"),
}


@dataclass(frozen=True)
class Case:
    """The series of one class, pixel kind and transfer syntax."""

    alias: str
    kind: str
    syntax: str
    sources: tuple[Path, ...]
    paths: tuple[Path, ...]
    pixels: tuple[np.ndarray | None, ...]
    """What the files must decode to; None where only the compressed bytes say."""

    def __str__(self) -> str:
        return f"{self.alias}, {self.kind}, {self.syntax}"


def kinds(iod: IOD) -> list[str]:
    """Return the pixel kinds of a class, and the JPEG streams it takes."""
    streams = [
        name
        for name, (kind, term) in JPEG_KINDS.items()
        if kind in iod.pixel_kinds and term in iod.photometric_interpretations
    ]
    found = [*sorted(iod.pixel_kinds), *streams]
    return [*found, *(f"{kind}{FRAMES}" for kind in found)] if iod.multi_frame else found


def pixels_of(kind: str, number: int, rows: int) -> np.ndarray:
    """Return an image with structure and noise, odd in size, its channels different."""
    bits = 16 if kind in {"gray16", "rgb16", "jpeg deep"} else 8
    columns = 51
    y, x = np.mgrid[:rows, :columns].astype(np.float64)
    rng = np.random.default_rng(number)
    planes = [
        np.sin(x / (5 + channel)) + np.cos(y / (7 - channel)) + rng.normal(0, 0.2, x.shape) for channel in range(3)
    ]
    image = np.stack(planes, axis=-1) if "gray" not in kind and kind != "jpeg deep" else planes[0]
    image = (image - image.min()) / (image.max() - image.min())
    return (image * (2**bits - 1)).astype(np.uint16 if bits == 16 else np.uint8)


def write_image(folder: Path, kind: str, number: int) -> tuple[Path, np.ndarray | None]:
    """Write an image of `kind`; return its path and, where it is lossless, its pixels."""
    name = kind
    kind = kind.removesuffix(FRAMES)
    pixels = pixels_of(kind, number, 37 if name != kind else 37 + 2 * number)
    path = folder / f"{name.replace(' ', '_')}_{number}.{'jpg' if kind.startswith('jpeg') else 'png'}"
    if not kind.startswith("jpeg"):
        path.write_bytes(imagecodecs.png_encode(pixels))
        return path, pixels
    if kind == "jpeg deep":
        path.write_bytes(imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=16))
        return path, pixels
    image = Image.fromarray(pixels)
    buffer = io.BytesIO()
    if kind == "jpeg rgb":
        image.save(buffer, "JPEG", quality=90, keep_rgb=True)
    else:
        image.save(buffer, "JPEG", quality=90)
    path.write_bytes(buffer.getvalue())
    return path, None


def write_manifest(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows with the columns of all of them; a cell that a row doesn't have is empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)), restval="")
        writer.writeheader()
        writer.writerows(rows)


def convert(folder: Path, iod: IOD, syntax: str) -> list[Case]:
    """Convert a series of each pixel kind of one class under one transfer syntax."""
    images, out = folder / "images", folder / syntax.replace(":", "-")
    images.mkdir(parents=True, exist_ok=True)
    # Under another syntax a JPEG is decoded, and is a case of its pixels no more than a PNG is.
    chosen = [kind for kind in kinds(iod) if syntax == "auto" or not kind.startswith("jpeg")]
    if codec := CODECS.get(syntax.partition(":")[0]):
        chosen = [kind for kind in chosen if kind.removesuffix(FRAMES) in codec.kinds]
    if not chosen:
        return []
    rows, cases = [], []
    for series, kind in enumerate(chosen, start=1):
        written = [write_image(images, kind, number) for number in range(IMAGES_A_CASE)]
        sources, pixels = zip(*written, strict=True)
        for number, path in enumerate(sources, start=1):
            if kind.startswith("jpeg ") and "deep" not in kind and "LossyImageCompression" in COMPLETE[iod.alias]:
                own_history = {"LossyImageCompression": "01"}
            else:
                own_history = {}
            own = {
                **own_history,
                "source": path.name,
                "sop_class": iod.alias,
                "SeriesNumber": series,
                "InstanceNumber": number,
            }
            if kind.endswith(FRAMES):
                own |= {"instance": kind, "frame": number, "InstanceNumber": 1}
            rows.append({**COMMON, **COMPLETE[iod.alias], **own})
        paths = tuple(out / f"{path.stem}.dcm" for path in sources)
        if kind.endswith(FRAMES):
            paths, pixels = paths[:1], (None if pixels[0] is None else np.stack(pixels),)
        cases.append(Case(iod.alias, kind, syntax, sources, paths, pixels))
    manifest = folder / "manifest.csv"
    write_manifest(manifest, rows)
    report = bulkdcm.convert(manifest, out, images=images, transfer_syntax=syntax, backend="sequential", fsync=False)
    failed = report.table[report.table["status"] != "converted"]
    assert failed.empty, failed["message"].tolist()
    assert not report.warnings, list(map(str, report.warnings))
    return cases


ALIASES = [iod.alias for iod in IODS]
