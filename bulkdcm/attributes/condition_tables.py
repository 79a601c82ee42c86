"""The conditions of PS3.3 (2025) on attributes that a manifest can hold, as tables; ``conditions.py`` asks them.

`RULES` are of single attributes, `CALLED_UP` of modules that are there as soon as one of their attributes is, `ENUMERATED`
of values that a SOP class allows, `SAME_COUNT` of attributes whose values belong together one by one. An empty set of
classes means all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pydicom import uid

from bulkdcm.attributes import body_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SC = frozenset({uid.SecondaryCaptureImageStorage})
_SC_FRAMES = frozenset(
    {
        uid.MultiFrameSingleBitSecondaryCaptureImageStorage,
        uid.MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        uid.MultiFrameTrueColorSecondaryCaptureImageStorage,
    }
)
_SC_COLOR = frozenset({uid.MultiFrameTrueColorSecondaryCaptureImageStorage})
_SC_BYTE = frozenset({uid.MultiFrameGrayscaleByteSecondaryCaptureImageStorage})
_CR = frozenset({uid.ComputedRadiographyImageStorage})
_CT = frozenset({uid.CTImageStorage})
_MR = frozenset({uid.MRImageStorage})
_US = frozenset({uid.UltrasoundImageStorage, uid.UltrasoundMultiFrameImageStorage})
_DX = frozenset({uid.DigitalXRayImageStorageForPresentation, uid.DigitalXRayImageStorageForProcessing})
_MG = frozenset(
    {uid.DigitalMammographyXRayImageStorageForPresentation, uid.DigitalMammographyXRayImageStorageForProcessing}
)
_IO = frozenset(
    {uid.DigitalIntraOralXRayImageStorageForPresentation, uid.DigitalIntraOralXRayImageStorageForProcessing}
)
_PROJECTION = _DX | _MG | _IO
_FOR_PRESENTATION = frozenset(
    {
        uid.DigitalXRayImageStorageForPresentation,
        uid.DigitalMammographyXRayImageStorageForPresentation,
        uid.DigitalIntraOralXRayImageStorageForPresentation,
    }
)
_EYE = frozenset({uid.OphthalmicPhotography8BitImageStorage, uid.OphthalmicPhotography16BitImageStorage})
_XC = frozenset({uid.VLPhotographicImageStorage})
_GM = frozenset({uid.VLMicroscopicImageStorage})
_SM = frozenset({uid.VLSlideCoordinatesMicroscopicImageStorage})
_DERM = frozenset({uid.DermoscopicPhotographyImageStorage})
_VL = _XC | _GM | _SM | _DERM | {uid.VLEndoscopicImageStorage}
_WINDOWED = _SC | _SC_FRAMES | _CR | _US | _CT | _MR

_ROUNDED = 1e-4
"""How far from 1 and 0 the products of direction cosines may be, which are rounded to a few decimals."""
FRAME_OF_REFERENCE = "(the series' frame of reference)"
"""Text of an attribute that is filled with a UID which only who builds the data set knows."""


class Test(NamedTuple):
    """That an attribute has a value, or one of some values."""

    keyword: str
    values: tuple[str, ...] = ()
    place: int | None = None
    """Index of the value that is meant; None for any of them."""

    def __str__(self) -> str:
        *others, last = self.values or ("",)
        place = "" if self.place is None else f"value {self.place + 1} of "
        shown = f"{', '.join(others)} or {last}" if others else last
        return f"{place}{self.keyword} {shown}".rstrip()


class Rule(NamedTuple):
    """What an attribute needs (one of several), excludes (each of several), or that it can never be there."""

    when: Test
    section: str
    needs: tuple[Test, ...] = ()
    excludes: tuple[Test, ...] = ()
    never: bool = False
    unless: tuple[Test, ...] = ()
    classes: frozenset[str] = frozenset()
    rule: str = ""
    """In other words than those that follow from the rest."""
    remedy: str = ""


class CalledUp(NamedTuple):
    """A module, or a part of one, that is there as soon as one of its members is."""

    reason: str
    section: str
    members: tuple[Test, ...]
    needs: tuple[str, ...] = ()
    """Type 1: each must have a value; of two with an ``or`` between them, one must."""
    fills: tuple[tuple[str, str], ...] = ()
    """Type 2, and what is honestly known: keyword and text, empty where nothing is known."""
    classes: frozenset[str] = frozenset()
    remedy: str = ""


class Enumerated(NamedTuple):
    """The Enumerated Values of an attribute in some classes."""

    keyword: str
    values: tuple[str, ...]
    section: str
    classes: frozenset[str] = frozenset()
    place: int | None = None
    """Which value is meant, counted from 0; None if all are. An empty text among `values` allows that there is none."""
    remedy: str = ""


class Form(NamedTuple):
    """What the values of an attribute are by themselves."""

    keyword: str
    holds: Callable[[Sequence[str]], bool]
    """Asked of values that keep the rules of their VR."""
    rule: str
    section: str
    remedy: str
    when: tuple[Test, ...] = ()
    unless: tuple[Test, ...] = ()


class SameCount(NamedTuple):
    """Attributes whose values belong together, the first to the first; only where both have some."""

    keywords: tuple[str, ...]
    section: str


def _tests(text: str) -> tuple[Test, ...]:
    return tuple(Test(keyword) for keyword in text.split())


def _empty(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((keyword, "") for keyword in text.split())


def _both_ways(first: str, second: str, section: str, classes: frozenset[str] = frozenset()) -> tuple[Rule, ...]:
    return (
        Rule(Test(first), section, needs=(Test(second),), classes=classes),
        Rule(Test(second), section, needs=(Test(first),), classes=classes),
    )


def _shapes(shape: str, section: str, kind: str, classes: frozenset[str]) -> tuple[Rule, ...]:
    """Return what the shapes of a shutter or collimator need, and what needs them."""
    details = {
        "RECTANGULAR": [f"{kind}{side}Edge" for side in ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")],
        "CIRCULAR": [f"CenterOfCircular{kind}", f"RadiusOfCircular{kind}"],
        "POLYGONAL": [f"VerticesOfThePolygonal{kind}"],
    }  # fmt: skip
    return tuple(
        rule
        for term, keywords in details.items()
        for keyword in keywords
        for rule in (
            Rule(Test(shape, (term,)), section, needs=(Test(keyword),), classes=classes),
            Rule(Test(keyword), section, needs=(Test(shape, (term,)),), classes=classes),
        )
    )


_STRAIN = "PatientBreedDescription PatientBreedCodeSequence StrainDescription StrainCodeSequence StrainNomenclature StrainAdditionalInformation"  # fmt: skip
_SPECIES = _tests("PatientSpeciesDescription PatientSpeciesCodeSequence")
_SCANNED = ("DF", "SD", "SI")

RULES: tuple[Rule, ...] = (
    # Patient, Clinical Trial
    *_both_ways("ResponsiblePerson", "ResponsiblePersonRole", "C.7.1.1"),
    Rule(
        Test("PatientIdentityRemoved", ("YES",)),
        "C.7.1.1",
        needs=_tests("DeidentificationMethod DeidentificationMethodCodeSequence"),
    ),
    *(
        Rule(Test(name), "C.7.1.1", needs=_tests("PatientAlternativeCalendar"))
        for name in ("PatientBirthDateInAlternativeCalendar", "PatientDeathDateInAlternativeCalendar")
    ),
    Rule(
        Test("PatientAlternativeCalendar"),
        "C.7.1.1",
        needs=_tests("PatientBirthDateInAlternativeCalendar PatientDeathDateInAlternativeCalendar"),
    ),
    *(Rule(Test(name), "C.7.1.1", needs=_SPECIES) for name in _STRAIN.split()),
    *_both_ways(
        "ClinicalTrialProtocolEthicsCommitteeName", "ClinicalTrialProtocolEthicsCommitteeApprovalNumber", "C.7.1.3"
    ),
    *_both_ways("LongitudinalTemporalOffsetFromEvent", "LongitudinalTemporalEventType", "C.7.2.3"),
    # General Series, Frame of Reference
    Rule(
        Test("Laterality"),
        "C.7.3.1",
        excludes=_tests("ImageLaterality"),
        rule="a row has Laterality or ImageLaterality, not both",
        remedy="Keep ImageLaterality",
    ),
    Rule(
        Test("Laterality"),
        "C.7.3.1",
        never=True,
        classes=_SM,
        rule="a slide has no Laterality, which is that of a paired body part",
        remedy="Write ImageLaterality",
    ),
    Rule(Test("PatientPosition"), "C.7.3.1", excludes=_tests("PatientOrientationCodeSequence")),
    Rule(
        Test("PositionReferenceIndicator"),
        "C.7.4.1",
        needs=_tests("FrameOfReferenceUID"),
        unless=_tests("ImagePositionPatient"),
    ),
    *_both_ways(
        "PatientOrientationCodeSequence",
        "PatientEquipmentRelationshipCodeSequence",
        "C.7.6.30",
        _SC | _SC_FRAMES | _CT | _MR,
    ),
    # General Image, Image Pixel, and the spacings
    *(
        Rule(Test(name), "C.7.6.1.1.5", excludes=(Test("LossyImageCompression", ("00",)),), remedy="Write 01")
        for name in ("LossyImageCompressionRatio", "LossyImageCompressionMethod")
    ),
    Rule(Test("LossyImageCompressionRatio"), "C.8.17.2", needs=_tests("LossyImageCompressionMethod"), classes=_EYE),
    Rule(Test("LossyImageCompressionMethod"), "C.7.6.1.1.5", needs=_tests("LossyImageCompressionRatio")),
    Rule(
        Test("PixelAspectRatio"),
        "C.7.6.3",
        excludes=_tests("PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing"),
        remedy="Leave PixelAspectRatio out: the spacing tells it",
    ),
    Rule(Test("PixelSpacingCalibrationType"), "10.7.1", needs=_tests("PixelSpacingCalibrationDescription")),
    Rule(Test("PixelSpacingCalibrationDescription"), "10.7.1", needs=_tests("PixelSpacingCalibrationType")),
    Rule(Test("PixelSpacingCalibrationType"), "10.7.1.2", needs=_tests("PixelSpacing")),
    # Rescale and window
    Rule(Test("RescaleIntercept"), "C.11.1", needs=_tests("RescaleSlope"), classes=_SC | _CR | _CT | _MR),
    Rule(Test("RescaleSlope"), "C.11.1", needs=_tests("RescaleIntercept"), classes=_SC | _CR | _CT | _MR),
    Rule(Test("RescaleType"), "C.11.1", needs=_tests("RescaleIntercept"), classes=_SC | _CR),
    *(
        Rule(
            Test(name),
            "C.8.6.3",
            never=True,
            classes=_SC_COLOR,
            rule=f"{name} is for MONOCHROME2 only",
            remedy="Leave it out of colour images",
        )
        for name in ("RescaleIntercept", "RescaleSlope", "RescaleType", "PresentationLUTShape")
    ),
    Rule(
        Test("RescaleType"),
        "C.8.2.1",
        needs=(Test("RescaleType", ("HU",)),),
        unless=(
            Test("ImageType", ("DERIVED",), 0),
            Test("ImageType", ("LOCALIZER",), 2),
            Test("MultienergyCTAcquisition", ("YES",)),
        ),
        classes=_CT,
        rule="an ORIGINAL slice that is no LOCALIZER is in Hounsfield units: RescaleType HU",
        remedy="Write HU, or leave RescaleType out",
    ),
    Rule(
        Test("PresentationLUTShape", ("INVERSE",)),
        "C.7.6.1",
        needs=(Test("PhotometricInterpretation", ("MONOCHROME1",)),),
        remedy="Leave PresentationLUTShape out, or write IDENTITY",
    ),
    *_both_ways("WindowCenter", "WindowWidth", "C.11.2"),
    *(
        Rule(
            Test(name),
            "C.11.2",
            needs=_tests("WindowCenter VOILUTSequence"),
            classes=_WINDOWED,
            remedy=f"Add WindowCenter and WindowWidth, or leave {name} out",
        )
        for name in ("VOILUTFunction", "WindowCenterWidthExplanation")
    ),
    # Shutter and collimator
    *_shapes("ShutterShape", "C.7.6.11", "Shutter", _CR | _PROJECTION),
    *_shapes("CollimatorShape", "C.8.7.3", "Collimator", _PROJECTION),
    # Secondary Capture
    Rule(Test("ConversionType", ("DF",)), "C.8.6.3", needs=_tests("NominalScannedPixelSpacing"), classes=_SC_FRAMES),
    Rule(Test("NominalScannedPixelSpacing"), "C.8.6.3", needs=(Test("ConversionType", _SCANNED),), classes=_SC_FRAMES),
    Rule(
        Test("FrameTimeVector"),
        "C.7.6.5",
        needs=(Test("FrameIncrementPointer", ("00181065",)),),
        remedy="Leave it out, or write FrameTime if the time between frames is always the same",
    ),
    # Projection X-ray
    Rule(
        Test("BodyPartExamined"),
        "C.8.11.2",
        needs=_tests("AnatomicRegionSequence"),
        unless=(Test("BodyPartExamined", tuple(body_parts.table())),),
        classes=_DX,
        rule="BodyPartExamined is no Defined Term, so AnatomicRegionSequence doesn't follow from it and must be given",
        remedy="Add AnatomicRegionSequence as value^scheme^meaning, or use a term of PS3.16 annex L",
    ),
    *_both_ways("FieldOfViewRotation", "FieldOfViewHorizontalFlip", "C.8.11.4", _PROJECTION),
    Rule(
        Test("FieldOfViewOrigin"),
        "C.8.11.4",
        needs=_tests("FieldOfViewRotation FieldOfViewHorizontalFlip"),
        classes=_PROJECTION,
        remedy="Add both FieldOfViewRotation and FieldOfViewHorizontalFlip, or leave FieldOfViewOrigin out",
    ),
    *(
        Rule(Test(name), "C.8.11.4", needs=_tests("FieldOfViewOrigin"), classes=_PROJECTION)
        for name in ("FieldOfViewRotation", "FieldOfViewHorizontalFlip")
    ),
    # CT, MR
    Rule(
        Test("ImageType"),
        "C.8.2.1.1.1",
        needs=(Test("ImageType", (), 2),),
        classes=_CT,
        rule="ImageType has a third value",
        remedy="Write what the slice is, such as ORIGINAL\\PRIMARY\\AXIAL",
    ),
    Rule(
        Test("ImageType"),
        "C.8.3.1.1.1",
        needs=(Test("ImageType", (), 2),),
        classes=_MR,
        rule="ImageType has a third value",
        remedy="Write what the slice is, such as ORIGINAL\\PRIMARY\\OTHER",
    ),
    *_both_ways("WaterEquivalentDiameter", "WaterEquivalentDiameterCalculationMethodCodeSequence", "C.8.2.1", _CT),
    Rule(Test("InversionTime"), "C.8.3.1", needs=(Test("ScanningSequence", ("IR",)),), classes=_MR),
    Rule(Test("TriggerTime"), "C.8.3.1", needs=(Test("ScanOptions", ("CG", "PPG", "RG")),), classes=_MR),
    # Ultrasound
    *(Rule(Test(name), "C.8.5.6", needs=(Test("Modality", ("IVUS",)),), classes=_US) for name in ("IVUSAcquisition",)),
    Rule(Test("Modality", ("IVUS",)), "C.8.5.6", needs=_tests("IVUSAcquisition"), classes=_US),
    Rule(Test("Modality", ("IVUS",)), "C.8.5.6", needs=_tests("AcquisitionDateTime"), classes=_US),
    *(
        rule
        for name, terms in (
            ("IVUSPullbackRate", ("MOTOR_PULLBACK",)),
            ("IVUSGatedRate", ("GATED_PULLBACK",)),
            ("IVUSPullbackStartFrameNumber", ("MOTOR_PULLBACK", "GATED_PULLBACK")),
            ("IVUSPullbackStopFrameNumber", ("MOTOR_PULLBACK", "GATED_PULLBACK")),
        )
        for rule in (
            Rule(Test(name), "C.8.5.6", needs=(Test("IVUSAcquisition", terms),), classes=_US),
            Rule(Test("IVUSAcquisition", terms), "C.8.5.6", needs=_tests(name), classes=_US),
        )
    ),
    # Ophthalmic
    Rule(Test("DegreeOfDilation"), "C.8.17.4", needs=(Test("PupilDilated", ("YES",)),), classes=_EYE),
    Rule(
        Test("PatientEyeMovementCommanded", ("YES",)),
        "C.8.17.4",
        needs=_tests("PatientEyeMovementCommandCodeSequence"),
        classes=_EYE,
    ),
    Rule(
        Test("PatientEyeMovementCommandCodeSequence"),
        "C.8.17.4",
        needs=(Test("PatientEyeMovementCommanded", ("YES",)),),
        classes=_EYE,
    ),
    Rule(
        Test("ImageType", ("DERIVED",), 0),
        "C.8.17.2.1.4",
        needs=(Test("ImageType", (), 2),),
        classes=_EYE,
        rule="ImageType of a derived ophthalmic image has a third value",
        remedy="Write DERIVED\\PRIMARY\\MONTAGE for a montage, or ORIGINAL\\PRIMARY",
    ),
    Rule(
        Test("ImageType", ("ORIGINAL",), 0),
        "C.8.17.2.1.4",
        excludes=(Test("ImageType", (), 2),),
        classes=_EYE,
        rule="ImageType of an ophthalmic image that is not derived has no third value",
        remedy="Write ORIGINAL\\PRIMARY",
    ),
    # Dermoscopic
    *_both_ways("TrackingID", "TrackingUID", "C.8.12.14", _DERM),
    Rule(Test("ImmersionMedia"), "C.8.12.14", needs=(Test("ContactMethod", ("CONTACT",)),), classes=_DERM),
)

_EQUIPMENT = "InstitutionName InstitutionAddress StationName InstitutionalDepartmentName InstitutionalDepartmentTypeCodeSequence ManufacturerModelName DeviceSerialNumber DeviceUID GantryID ManufacturerDeviceClassUID SoftwareVersions SpatialResolution DateOfLastCalibration TimeOfLastCalibration DateOfManufacture DateOfInstallation PixelPaddingValue"  # fmt: skip
_TRIAL = "ClinicalTrialSponsorName ClinicalTrialProtocolID ClinicalTrialProtocolName IssuerOfClinicalTrialProtocolID ClinicalTrialSiteID ClinicalTrialSiteName IssuerOfClinicalTrialSiteID ClinicalTrialSubjectID IssuerOfClinicalTrialSubjectID ClinicalTrialSubjectReadingID IssuerOfClinicalTrialSubjectReadingID ClinicalTrialProtocolEthicsCommitteeName ClinicalTrialProtocolEthicsCommitteeApprovalNumber"  # fmt: skip
_TRIAL_STUDY = "ClinicalTrialTimePointDescription LongitudinalTemporalOffsetFromEvent LongitudinalTemporalEventType ClinicalTrialTimePointTypeCodeSequence IssuerOfClinicalTrialTimePointID"  # fmt: skip
_TRIAL_SERIES = "ClinicalTrialSeriesID ClinicalTrialSeriesDescription IssuerOfClinicalTrialSeriesID"
_SYNCHRONIZATION = "SynchronizationTrigger AcquisitionTimeSynchronized SynchronizationFrameOfReferenceUID SynchronizationChannel TriggerSourceOrType TimeSource TimeDistributionProtocol NTPSourceAddress"  # fmt: skip
_CONTRAST = "ContrastBolusRoute ContrastBolusVolume ContrastBolusStartTime ContrastBolusStopTime ContrastBolusTotalDose ContrastFlowRate ContrastFlowDuration ContrastBolusIngredient ContrastBolusIngredientConcentration"  # fmt: skip
_STAGED = "StageName StageNumber StageCodeSequence NumberOfStages ViewName ViewNumber NumberOfViewsInStage NumberOfEventTimers EventElapsedTimes EventTimerNames EventCodeSequence"  # fmt: skip
_TOMOGRAPHY = "TomoLayerHeight TomoAngle TomoTime TomoType TomoClass NumberOfTomosynthesisSourceImages"

CALLED_UP: tuple[CalledUp, ...] = (
    CalledUp(
        "the Patient is an animal",
        "C.7.1.1",
        (*_SPECIES, *_tests(_STRAIN)),
        fills=_empty(
            "PatientBreedDescription PatientBreedCodeSequence BreedRegistrationSequence ResponsiblePerson "
            "ResponsibleOrganization PatientSexNeutered"
        ),
    ),
    CalledUp(
        "the row has a Clinical Trial",
        "C.7.1.3",
        _tests(_TRIAL),
        needs=(
            "ClinicalTrialSponsorName",
            "ClinicalTrialProtocolID",
            "ClinicalTrialSubjectID or ClinicalTrialSubjectReadingID",
        ),
        fills=_empty("ClinicalTrialProtocolName ClinicalTrialSiteID ClinicalTrialSiteName"),
    ),
    CalledUp(
        "the study is one of a Clinical Trial",
        "C.7.2.3",
        _tests(_TRIAL_STUDY),
        fills=_empty("ClinicalTrialTimePointID"),
    ),
    CalledUp(
        "the series is one of a Clinical Trial",
        "C.7.3.2",
        _tests(_TRIAL_SERIES),
        fills=_empty("ClinicalTrialCoordinatingCenterName"),
    ),
    CalledUp("the equipment is described", "C.7.5.1", _tests(_EQUIPMENT), fills=_empty("Manufacturer")),
    CalledUp(
        "there is a frame of reference",
        "C.7.4.1",
        _tests("FrameOfReferenceUID"),
        fills=_empty("PositionReferenceIndicator"),
        classes=_SC | _SC_FRAMES | _US | _PROJECTION | _CT | _MR | _SM,
    ),
    CalledUp(
        "the image is a plane in the patient",
        "C.7.6.2",
        _tests("ImagePositionPatient ImageOrientationPatient"),
        needs=("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"),
        fills=(
            ("SliceThickness", ""),
            ("FrameOfReferenceUID", FRAME_OF_REFERENCE),
            ("PositionReferenceIndicator", ""),
        ),
        classes=_SC,
    ),
    CalledUp(
        "the acquisition is synchronized",
        "C.7.4.2",
        _tests(_SYNCHRONIZATION),
        needs=("SynchronizationFrameOfReferenceUID", "SynchronizationTrigger", "AcquisitionTimeSynchronized"),
        classes=_SC | _SC_FRAMES | _US | _CT | _EYE,
    ),
    CalledUp(
        "a contrast agent was given",
        "C.7.6.4",
        _tests(_CONTRAST),
        fills=_empty("ContrastBolusAgent"),
        classes=_CR | _US | _CT | _MR | _PROJECTION,
    ),
    CalledUp(  # what a shape is made of asks for the shape by itself
        "there is a shutter",
        "C.7.6.11",
        _tests("ShutterPresentationValue ShutterPresentationColorCIELabValue"),
        needs=("ShutterShape",),
        classes=_CR | _PROJECTION,
    ),
    CalledUp("the image is a layer", "C.8.7.7", _tests(_TOMOGRAPHY), needs=("TomoLayerHeight",), classes=_PROJECTION),
    CalledUp(
        "there is a specimen",
        "C.7.6.22",
        _tests("ContainerIdentifier ContainerTypeCodeSequence ContainerDescription"),
        needs=("ContainerIdentifier", "SpecimenDescriptionSequence"),
        classes=_SC | _SC_FRAMES | _CR | _US | _XC | _GM | {uid.VLEndoscopicImageStorage} | _PROJECTION | _CT | _MR,
        remedy="Leave {members} out, or use sop_class SM for a slide",
    ),
    CalledUp(
        "frames have dimensions",
        "C.7.6.17",
        _tests("DimensionOrganizationType"),
        needs=("DimensionOrganizationSequence",),
        classes=_SC_FRAMES,
        remedy="Leave {members} out: a cell can't hold the sequence",
    ),
    CalledUp(
        "there are optical paths",
        "C.8.12.5",
        _tests("NumberOfOpticalPaths"),
        needs=("OpticalPathSequence",),
        classes=_GM | _SM,
        remedy="Leave {members} out: a cell can't hold the sequence",
    ),
    CalledUp(
        "the acquisition is multi-energy",
        "C.8.2.2",
        (Test("MultienergyCTAcquisition", ("YES",)),),
        needs=("MultienergyCTAcquisitionSequence",),
        classes=_CT,
        remedy="Leave {members} out: a cell can't hold the sequence",
    ),
    CalledUp(
        "the values are rescaled",
        "C.11.1",
        _tests("RescaleIntercept"),
        fills=(("RescaleType", "US"),),
        classes=_SC | _CR,
    ),
    CalledUp(
        "a lossy compression is described",
        "C.7.6.1.1.5",
        _tests("LossyImageCompressionRatio LossyImageCompressionMethod"),
        fills=(("LossyImageCompression", "01"),),
    ),
    CalledUp(
        "the protocol has stages",
        "C.8.5.6",
        _tests(_STAGED),
        fills=_empty("NumberOfStages NumberOfViewsInStage"),
        classes=_US,
    ),
    CalledUp(
        "ScanningSequence is IR",
        "C.8.3.1",
        (Test("ScanningSequence", ("IR",)),),
        fills=_empty("InversionTime"),
        classes=_MR,
    ),
    CalledUp(
        "the scan is gated by the heart",
        "C.8.3.1",
        (Test("ScanOptions", ("CG", "PPG")),),
        fills=_empty("TriggerTime"),
        classes=_MR,
    ),
    CalledUp(
        "the pupil is dilated",
        "C.8.17.4",
        (Test("PupilDilated", ("YES",)),),
        fills=_empty("DegreeOfDilation MydriaticAgentSequence"),
        classes=_EYE,
    ),
    CalledUp(
        "the image is derived",
        "C.8.17.2",
        (Test("ImageType", ("DERIVED",), 0),),
        fills=_empty("SourceImageSequence"),
        classes=_EYE,
    ),
    CalledUp(
        "the acquisition context is described",
        "C.7.6.14",
        _tests("AcquisitionContextDescription"),
        fills=_empty("AcquisitionContextSequence"),
        classes=_EYE,
    ),
    CalledUp(
        "the dermatoscope touched the skin",
        "C.8.12.14",
        (Test("ContactMethod", ("CONTACT",)),),
        fills=_empty("ImmersionMedia"),
        classes=_DERM,
    ),
)

# Keyword, Enumerated Values and section of what is the same in all classes.
_EVERYWHERE = """
AcquisitionTimeSynchronized Y,N C.7.4.2
AnatomicalOrientationType BIPED,QUADRUPED C.7.3.1
AngioFlag Y,N C.8.3.1
BeatRejectionFlag Y,N C.8.5.6
BreastImplantPresent YES,NO C.8.11.7
CalibrationImage YES,NO C.8.11.3
CassetteOrientation LANDSCAPE,PORTRAIT C.8.1.2
ContentQualification PRODUCT,RESEARCH,SERVICE C.12.1
DetectorActiveShape RECTANGLE,ROUND,HEXAGONAL C.8.11.4
DetectorConditionsNominalFlag YES,NO C.8.11.4
DigitizingDeviceTransportDirection ROW,COLUMN C.8.6.3
EntranceDoseDerivation IAK,ESAK,ESDBS,ESDNOBS C.8.7.8
FieldOfViewHorizontalFlip YES,NO C.8.11.4
FieldOfViewRotation 270,180,90,0 C.8.11.4
FieldOfViewShape RECTANGLE,ROUND,HEXAGONAL C.8.11.4
GPSDestBearingRef T,M C.8.12.12
GPSDestDistanceRef K,M,N C.8.12.12
GPSDestLatitudeRef N,S C.8.12.12
GPSDestLongitudeRef E,W C.8.12.12
GPSImgDirectionRef T,M C.8.12.12
GPSLatitudeRef N,S C.8.12.12
GPSLongitudeRef E,W C.8.12.12
GPSMeasureMode 2,3 C.8.12.12
GPSSpeedRef K,M,N C.8.12.12
GPSStatus A,V C.8.12.12
GPSTrackRef T,M C.8.12.12
InPlanePhaseEncodingDirection ROW,COL C.8.3.1
InstanceOriginStatus LOCAL,IMPORTED C.12.1
LongitudinalTemporalInformationModified UNMODIFIED,MODIFIED,REMOVED C.12.1
MRAcquisitionType 2D,3D C.8.3.1
MultienergyCTAcquisition YES,NO C.8.2.1
PartialView YES,NO C.8.11.7
PatientEyeMovementCommanded YES,NO C.8.17.4
PixelSpacingCalibrationType GEOMETRY,FIDUCIAL 10.7.1.2
PositionerPrimaryAngleDirection CW,CC C.8.11.7
PreferredPlaybackSequencing 0,1 C.7.6.5
PregnancyStatus 0001,0002,0003,0004 C.7.2.2
PupilDilated YES,NO C.8.17.4
QueryRetrieveView CLASSIC,ENHANCED C.12.1
RotationDirection CW,CC C.8.2.1
SOPInstanceStatus NS,OR,AO,AC C.12.1
ScanningSequence SE,IR,GR,EP,RM C.8.3.1
SliceProgressionDirection APEX_TO_BASE,BASE_TO_APEX,ANT_TO_INF,INF_TO_ANT,SEPTUM_TO_WALL,WALL_TO_SEPTUM 10.20.1.1
StereoPairsPresent YES,NO C.7.6.6
SynchronizationTrigger SOURCE,EXTERNAL,PASSTHRU,NO_TRIGGER C.7.4.2
UltrasoundColorDataPresent 00,01 C.8.5.6
VariableFlipAngleFlag Y,N C.8.3.1
"""
_ONE_SIDE = "Write R, L or B; if none of them fits, leave the row in a class that takes it, such as SecondaryCaptureImageStorage"

ENUMERATED: tuple[Enumerated, ...] = (
    *(
        Enumerated(keyword, tuple(value.replace("NO_T", "NO T") for value in terms.split(",")), section)
        for keyword, terms, section in map(str.split, _EVERYWHERE.strip().splitlines())
    ),
    Enumerated("ImageLaterality", ("R", "L", "B"), "C.8.11.7", _MG, remedy=_ONE_SIDE),
    Enumerated("ImageLaterality", ("R", "L", "B"), "C.8.11.9", _IO, remedy=_ONE_SIDE),
    Enumerated("ImageLaterality", ("R", "L", "B"), "C.8.17.5", _EYE, remedy=_ONE_SIDE),
    Enumerated("PositionerType", ("MAMMOGRAPHIC", "NONE"), "C.8.11.7", _MG),
    Enumerated("PositionerType", ("CEPHALOSTAT", "RIGID", "NONE"), "C.8.11.9", _IO),
    Enumerated("OrganExposed", ("BREAST",), "C.8.11.7", _MG),
    Enumerated("PresentationIntentType", ("FOR PRESENTATION",), "C.8.11.1", _FOR_PRESENTATION),
    Enumerated("PixelIntensityRelationship", ("LIN", "LOG"), "C.8.11.3", _PROJECTION),
    Enumerated("RescaleIntercept", ("0",), "C.8.11.3", _PROJECTION),
    Enumerated("RescaleSlope", ("1",), "C.8.11.3", _PROJECTION),
    Enumerated("RescaleType", ("US",), "C.8.11.3", _PROJECTION),
    Enumerated("RescaleIntercept", ("0",), "A.8.3", _SC_BYTE),
    Enumerated("RescaleSlope", ("1",), "A.8.3", _SC_BYTE),
    Enumerated("RescaleType", ("US",), "A.8.3", _SC_BYTE),
    Enumerated("PresentationLUTShape", ("IDENTITY",), "C.8.6.3", _SC_FRAMES),
    Enumerated("PresentationLUTShape", ("IDENTITY",), "C.8.17.2", _EYE),
    Enumerated("ShutterShape", ("RECTANGULAR", "CIRCULAR", "POLYGONAL"), "C.7.6.11", _CR | _PROJECTION),
    Enumerated("CollimatorShape", ("RECTANGULAR", "CIRCULAR", "POLYGONAL"), "C.8.7.3", _PROJECTION),
    Enumerated("ContactMethod", ("CONTACT", "NON_CONTACT"), "C.8.12.14", _DERM),
    Enumerated("LightSourcePolarization", ("POLARIZED", "NON_POLARIZED"), "C.8.12.14", _DERM),
    Enumerated("ImageType", ("PRIMARY",), "C.8.17.2.1.4", _EYE, place=1),
    Enumerated("ImageType", ("", "STEREO L", "STEREO R"), "C.8.12.1.1.6", _VL, place=2),
    Enumerated("ImageType", ("",), "C.8.11.3.1.1", _DX | _IO, place=2, remedy="Leave the third value empty"),
    Enumerated(
        "ImageType",
        (
            "", "STEREO_SCOUT", "STEREO_MINUS", "STEREO_PLUS", "PREFIRE_MINUS", "PREFIRE_PLUS", "POSTFIRE_MINUS",
            "POSTFIRE_PLUS", "TOMO_PROJ", "TOMO_2D", "TOMOSYNTHESIS", "LOW_ENERGY", "HIGH_ENERGY", "RECOMBINED", "SUBTRACTION",
            "POST_CONTRAST",
        ),
        "C.8.11.7.1.4",
        _MG,
        place=2,
    ),
)  # fmt: skip


_QUADRUPED = Test("AnatomicalOrientationType", ("QUADRUPED",))


def _at_right_angles(values: Sequence[str]) -> bool:
    row, column = ([float(value) for value in part] for part in (values[:3], values[3:]))
    return (
        abs(_product(row, column)) <= _ROUNDED
        and abs(_product(row, row) - 1) <= _ROUNDED
        and abs(_product(column, column) - 1) <= _ROUNDED
    )


def _product(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


FORMS: tuple[Form, ...] = (
    *(
        Form(
            keyword,
            _at_right_angles,
            "a row and a column direction, each of length 1 and at right angles to the other",
            section,
            "Correct it; rounded numbers need at least four decimals",
        )
        for keyword, section in (("ImageOrientationPatient", "C.7.6.2.1.1"), ("ImageOrientationSlide", "C.8.12.2"))
    ),
    Form(
        "PatientOrientation",
        lambda values: all(re.fullmatch("(LE|RT|D|V|CR|CD|R|M|L|PR|DI|PA|PL)+", value) for value in values),
        "the PatientOrientation of a QUADRUPED is built from LE, RT, D, V, CR, CD, R, M, L, PR, DI, PA and PL",
        "C.7.6.1.1.1",
        "Write it so, or leave AnatomicalOrientationType out",
        when=(_QUADRUPED,),
    ),
    Form(
        "PatientOrientation",
        lambda values: all(re.fullmatch("[APRLHF]+", value) for value in values),
        "PatientOrientation is built from A, P, R, L, H and F",
        "C.7.6.1.1.1",
        "Write it so, or give AnatomicalOrientationType QUADRUPED for an animal",
        unless=(_QUADRUPED,),
    ),
    Form(
        "PixelAspectRatio",
        lambda values: len(set(map(int, values))) > 1,
        "square pixels have no PixelAspectRatio",
        "C.7.6.3",
        "Leave it out",
    ),
    Form(
        "WindowWidth",
        lambda values: all(float(value) >= 1 for value in values),
        "WindowWidth is at least 1",
        "C.11.2.1.2",
        "Correct it, or give VOILUTFunction LINEAR_EXACT or SIGMOID, which take any width above 0",
        unless=(Test("VOILUTFunction", ("LINEAR_EXACT", "SIGMOID")),),
    ),
)

SAME_COUNT: tuple[SameCount, ...] = (
    SameCount(("WindowCenter", "WindowWidth"), "C.11.2"),
    SameCount(("WindowCenter", "WindowCenterWidthExplanation"), "C.11.2"),
    SameCount(("LossyImageCompressionRatio", "LossyImageCompressionMethod"), "C.7.6.1.1.5"),
)
