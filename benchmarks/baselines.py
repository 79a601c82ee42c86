"""What others do with the same images: each a function of (sources, output folder), run in processes of its own.

A baseline that isn't installed is left out and said to be.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

WORKERS = 2


def popular_script(source: Path, target: Path) -> None:
    """Write a file as the widely copied script does: Pillow, a dataset by hand, Implicit VR."""
    import numpy as np
    from PIL import Image
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ImplicitVRLittleEndian, generate_uid

    pixels = np.asarray(Image.open(source).convert("L"))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset = FileDataset(str(target), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.PatientName, dataset.PatientID, dataset.Modality = "Test^Name", "1", "CR"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.SOPInstanceUID, dataset.SOPClassUID = meta.MediaStorageSOPInstanceUID, meta.MediaStorageSOPClassUID
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(target, enforce_file_format=True)


def pydicom_loop(source: Path, target: Path) -> None:
    """Write what bulkdcm writes, element by element, with pydicom alone: the same elements, `dcmwrite`."""
    import io

    from PIL import Image
    from pydicom import dcmwrite
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

    from bulkdcm.images import decoders

    data = source.read_bytes()
    columns, rows = Image.open(io.BytesIO(data)).size
    pixels = decoders.png(data, (rows, columns), 8, "mono")
    dataset = Dataset()
    for keyword, value in _ELEMENTS.items():
        setattr(dataset, keyword, value)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.SOPInstanceUID, dataset.SOPClassUID = generate_uid(), UID("1.2.840.10008.5.1.4.1.1.7")
    dataset.Rows, dataset.Columns, dataset.PixelData = rows, columns, pixels.tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dcmwrite(target, dataset, enforce_file_format=True)


_ELEMENTS = {
    "SpecificCharacterSet": "ISO_IR 192", "ImageType": ["DERIVED", "SECONDARY"], "StudyDate": "20230102",
    "StudyTime": "101112", "AccessionNumber": "", "Modality": "OT", "ConversionType": "WSD", "Manufacturer": "",
    "ReferringPhysicianName": "", "PatientName": "A^B", "PatientID": "1", "PatientBirthDate": "", "PatientSex": "F",
    "StudyID": "1", "SeriesNumber": 1, "InstanceNumber": 1, "PatientOrientation": "", "ImageLaterality": "",
    "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7,
    "PixelRepresentation": 0,
}  # fmt: skip


def highdicom(source: Path, target: Path) -> None:
    """Write a Secondary Capture with highdicom."""
    import numpy as np
    from highdicom.sc import SCImage
    from PIL import Image
    from pydicom.uid import generate_uid

    SCImage(
        pixel_array=np.asarray(Image.open(source).convert("L")),
        photometric_interpretation="MONOCHROME2",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=generate_uid(),
        series_instance_uid=generate_uid(),
        series_number=1,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="x",
        patient_orientation=("L", "F"),
    ).save_as(target)


def simpleitk(source: Path, target: Path) -> None:
    """Read and write with SimpleITK."""
    import SimpleITK

    SimpleITK.WriteImage(SimpleITK.ReadImage(str(source)), str(target))


FUNCTIONS = {
    "pydicom loop": pydicom_loop,
    "popular script": popular_script,
    "highdicom": highdicom,
    "SimpleITK": simpleitk,
}


def available(name: str) -> bool:
    """Whether what a baseline needs is installed."""
    probe = {"highdicom": "highdicom", "SimpleITK": "SimpleITK"}.get(name)
    if probe:
        return (
            subprocess.run([sys.executable, "-c", f"import {probe}"], capture_output=True, check=False).returncode == 0
        )
    return shutil.which(name) is not None if name in {"img2dcm", "gdcmimg", "cp"} else True


def run(name: str, sources: list[Path], out: Path) -> None:
    """Convert all sources with a baseline, on two processes."""
    out.mkdir(parents=True)
    targets = [out / f"{number}.dcm" for number in range(len(sources))]
    if name in FUNCTIONS:
        with ProcessPoolExecutor(WORKERS) as pool:
            list(pool.map(FUNCTIONS[name], sources, targets, chunksize=16))
        return
    if name.startswith("cp"):
        _two_copies(sources, out)
        if name == "cp, then sync":
            os.sync()
        return
    command = {"img2dcm": ["img2dcm", "-q"], "gdcmimg": ["gdcmimg", "-i"]}[name]
    pairs = "\n".join(f"{source}\n{target}" for source, target in zip(sources, targets, strict=True))
    if name == "gdcmimg":
        pairs = "\n".join(f"{source}\n-o\n{target}" for source, target in zip(sources, targets, strict=True))
    each = 3 if name == "gdcmimg" else 2
    subprocess.run(
        ["xargs", f"-P{WORKERS}", f"-n{each}", *command], input=pairs, text=True, check=True, capture_output=True
    )


def _two_copies(sources: list[Path], out: Path) -> None:
    """Copy the folders of the sources with two processes, half of them each."""
    folders = sorted({source.parent for source in sources})
    halves = [folders[half::WORKERS] for half in range(WORKERS)]
    running = [subprocess.Popen(["cp", "-r", *map(str, half), str(out)]) for half in halves if half]
    if any(process.wait() for process in running):
        msg = "cp failed"
        raise RuntimeError(msg)


if __name__ == "__main__":
    _name, _list, _out = sys.argv[1:]
    run(_name, [Path(line) for line in Path(_list).read_text(encoding="utf-8").splitlines()], Path(_out))
