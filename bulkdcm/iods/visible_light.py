"""Modules of the visible-light classes that have some of their own: ophthalmic, slide, dermoscopic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from bulkdcm.iods.modules import put
from bulkdcm.model import Module

if TYPE_CHECKING:
    from bulkdcm.elements import Elements
    from bulkdcm.model import Frame, ManifestRow

_OF_SPECIMEN = {"SpecimenIdentifier": 0x00400551, "SpecimenUID": 0x00400554}
_SPECIMEN_DESCRIPTION_SEQUENCE = 0x00400560


def _ophthalmic(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    if frame.samples_per_pixel == 1:
        put(dataset, "PresentationLUTShape", "IDENTITY")
    _content_time(dataset, row, frame)


def _content_time(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    del frame
    acquired = row.attributes.get("AcquisitionDateTime", "")
    for keyword, text in (
        ("ContentDate", acquired[:8]),
        ("ContentTime", acquired[8:].partition("+")[0].partition("-")[0]),
    ):
        if keyword not in row.attributes:
            put(dataset, keyword, text)


OPHTHALMIC_PHOTOGRAPHY_IMAGE = Module(name="Ophthalmic Photography Image", section="C.8.17.2", fill=_ophthalmic)
OPHTHALMIC_PHOTOGRAPHY_PARAMETERS = Module(
    name="Ophthalmic Photography Acquisition Parameters",
    section="C.8.17.4",
    empty=(
        "PatientEyeMovementCommanded",
        "RefractiveStateSequence",
        "EmmetropicMagnification",
        "IntraOcularPressure",
        "HorizontalFieldOfView",
        "PupilDilated",
    ),
)
OPHTHALMIC_PHOTOGRAPHIC_PARAMETERS = Module(
    name="Ophthalmic Photographic Parameters",
    section="C.8.17.3",
    empty=(
        "IlluminationTypeCodeSequence",
        "LightPathFilterTypeStackCodeSequence",
        "ImagePathFilterTypeStackCodeSequence",
        "LensesCodeSequence",
        "DetectorType",
    ),
)
SYNCHRONIZATION = Module(
    name="Synchronization",
    section="C.7.4.2",
    defaults=(("SynchronizationTrigger", "NO TRIGGER"), ("AcquisitionTimeSynchronized", "N")),
)


def _specimen(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    del frame
    item = Dataset()
    for keyword, tag in _OF_SPECIMEN.items():
        dataset.pop(tag, None)
        put(item, keyword, row.attributes.get(keyword, ""))
    for keyword in ("IssuerOfTheSpecimenIdentifierSequence", "SpecimenPreparationSequence"):
        put(item, keyword, "")
    dataset.add(DataElement(_SPECIMEN_DESCRIPTION_SEQUENCE, "SQ", Sequence([item])))


SPECIMEN = Module(
    name="Specimen",
    section="C.7.6.22",
    empty=("IssuerOfTheContainerIdentifierSequence", "ContainerTypeCodeSequence"),
    fill=_specimen,
)
SLIDE_COORDINATES = Module(name="Slide Coordinates", section="C.8.12.2", empty=("ImageCenterPointCoordinatesSequence",))
DERMOSCOPIC_IMAGE = Module(
    name="Dermoscopic Image",
    section="C.8.12.14",
    empty=("ContactMethod", "OpticalMagnificationFactor", "LightSourcePolarization", "EmitterColorTemperature"),
)
