"""What a DICOM file says of its own pixels and its own patient, and so of no other image: the data of ``--template``.

All of group 0028 (Image Presentation) is the pixels': Image Pixel (PS3.3 C.7.6.3), Modality and VOI LUT (C.11.1, C.11.2),
spacings and aspect ratio, lossy compression, palettes, padding, burned-in annotation. So are overlays (groups 60xx, C.9.2),
the retired curves (50xx), and the exposure, colours and place of one photograph (0016). The others are listed here.
"""

from __future__ import annotations

from bulkdcm.attributes import levels

_PIXEL_GROUPS = {0x0016, 0x0028, 0x7FE0}
_PATIENT_GROUPS = {0x0010, 0x0038}
_REPEATING = {0x5000, 0x6000}

# Reason with its sections of PS3.3: keywords.
OF_PIXELS: dict[str, str] = {
    "how its pixels came about: C.7.6.1, C.8.6.1, C.8.6.2, C.8.3.1": """
        ImageType DerivationDescription DerivationCodeSequence SourceImageSequence ConversionType
        DateOfSecondaryCapture TimeOfSecondaryCapture AcquisitionDeviceProcessingDescription
        AcquisitionDeviceProcessingCode SyntheticData CalibrationImage VideoImageFormatAcquired
        DigitalImageFormatAcquired
    """,
    "where its rows and columns are in the patient: C.7.6.1, C.7.6.2, C.7.4.1": """
        PatientOrientation ImagePositionPatient ImageOrientationPatient SliceLocation SliceThickness
        SpacingBetweenSlices PositionReferenceIndicator ReconstructionDiameter
        ReconstructionTargetCenterPatient OphthalmicAnatomicReferencePointXCoordinate
        OphthalmicAnatomicReferencePointYCoordinate
    """,
    "how large its pixels are: 10.7, C.8.6.2, C.8.11.4": """
        ImagerPixelSpacing NominalScannedPixelSpacing SpatialResolution
    """,
    "which part of a detector or field its pixels show, in its own rows and columns: C.8.11.4, C.8.7.3, C.7.6.11": """
        FieldOfViewShape FieldOfViewDimensions FieldOfViewOrigin FieldOfViewRotation FieldOfViewHorizontalFlip
        HorizontalFieldOfView CollimatorShape CollimatorLeftVerticalEdge CollimatorRightVerticalEdge
        CollimatorUpperHorizontalEdge CollimatorLowerHorizontalEdge CenterOfCircularCollimator
        RadiusOfCircularCollimator VerticesOfThePolygonalCollimator ShutterShape ShutterLeftVerticalEdge
        ShutterRightVerticalEdge ShutterUpperHorizontalEdge ShutterLowerHorizontalEdge CenterOfCircularShutter
        RadiusOfCircularShutter VerticesOfThePolygonalShutter ShutterPresentationValue ShutterOverlayGroup
        ShutterPresentationColorCIELabValue ImagedVolumeWidth ImagedVolumeHeight ImagedVolumeDepth
        TotalPixelMatrixColumns TotalPixelMatrixRows TotalPixelMatrixFocalPlanes
    """,
    "how its values are shown: C.11.6, C.7.6.16.2": """
        PresentationLUTShape ICCProfile ColorSpace
    """,
    "what was measured in its pixels: C.8.3.1, C.8.11.3": """
        ExposureIndex DeviationIndex RelativeXRayExposure WaterEquivalentDiameter
    """,
    "its frames: C.7.6.5, C.7.6.6, C.8.6.3": """
        FrameTime FrameTimeVector FrameDelay StartTrim StopTrim RecommendedDisplayFrameRate CineRate
        ActualFrameDuration EffectiveDuration PreferredPlaybackSequencing PageNumberVector FrameLabelVector
        FrameNumbersOfInterest FramePrimaryAngleVector FrameSecondaryAngleVector SliceLocationVector
        DisplayWindowLabelVector ImageTriggerDelay RWaveTimeVector IVUSPullbackStartFrameNumber
        IVUSPullbackStopFrameNumber SelectedFrameNumber ConcatenationFrameOffsetNumber InConcatenationNumber
        InConcatenationTotalNumber
    """,
}
OF_INSTANCE: dict[str, str] = {
    "which image it is, and when it was taken: C.7.6.1, C.12.1, C.7.10.1": """
        InstanceNumber InstanceCreationDate InstanceCreationTime InstanceCoercionDateTime AcquisitionNumber
        AcquisitionDate AcquisitionTime AcquisitionDateTime AcquisitionDuration ContentDate ContentTime
        ImagesInAcquisition TemporalPositionIdentifier TemporalPositionIndex NumberOfTemporalPositions
        TriggerTime StackID InStackPositionNumber TimezoneOffsetFromUTC
    """,
    "what somebody said of it: C.7.6.1, C.12.1": """
        ImageComments SOPInstanceStatus SOPAuthorizationDateTime SOPAuthorizationComment
        AuthorizationEquipmentCertificationNumber InstanceOriginStatus BarcodeValue LabelText
    """,
}
# Beside groups 0010 and 0038: PS3.3 C.7.1.1, C.7.1.3, C.3.4.
OF_PATIENT = {
    *levels.PATIENT,
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "ClinicalTrialSubjectID",
    "ClinicalTrialSubjectReadingID",
    "ClinicalTrialTimePointID",
    "ClinicalTrialTimePointDescription",
    "IssuerOfClinicalTrialSubjectID",
    "IssuerOfClinicalTrialSubjectReadingID",
}
_NAMED = {keyword for keywords in (*OF_PIXELS.values(), *OF_INSTANCE.values()) for keyword in keywords.split()}


def of_image(keyword: str, tag: int) -> bool:
    """Whether an attribute describes the one image that it stands in: its pixels, or which image it is."""
    group = tag >> 16
    return keyword in _NAMED or group in _PIXEL_GROUPS or group & 0xFF00 in _REPEATING


def of_patient(keyword: str, tag: int) -> bool:
    """Whether an attribute describes the patient, or the patient's stay."""
    return keyword in OF_PATIENT or tag >> 16 in _PATIENT_GROUPS
