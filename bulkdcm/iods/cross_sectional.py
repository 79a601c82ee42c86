"""Modules of CT and MR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.iods.modules import put
from bulkdcm.model import Module

if TYPE_CHECKING:
    from bulkdcm.elements import Elements
    from bulkdcm.model import Frame, ManifestRow


def _patient_position(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    del frame
    if not {"PatientPosition", "PatientOrientationCodeSequence"} & row.attributes.keys():
        put(dataset, "PatientPosition", "")


FRAME_OF_REFERENCE = Module(name="Frame of Reference", section="C.7.4.1", empty=("PositionReferenceIndicator",))
PATIENT_POSITION = Module(name="General Series", section="C.7.3.1.1.2", fill=_patient_position)
IMAGE_PLANE = Module(name="Image Plane", section="C.7.6.2", empty=("SliceThickness",))
CT_IMAGE = Module(name="CT Image", section="C.8.2.1", empty=("KVP", "AcquisitionNumber"))
MR_IMAGE = Module(
    name="MR Image",
    section="C.8.3.1",
    empty=("ScanOptions", "MRAcquisitionType", "RepetitionTime", "EchoTime", "EchoTrainLength"),
)
