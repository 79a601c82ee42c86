"""Enumerated Values and ranges that PS3.3 gives for attributes, and Defined Terms that readers expect."""

from __future__ import annotations

import re

# Of Photometric Interpretation (PS3.3 C.7.6.3.1.2), for gray.
LIGHT_IS_LOW, DARK_IS_LOW = "MONOCHROME1", "MONOCHROME2"
_YES_NO = ("YES", "NO")
# Directions in an animal; what a human's letters alone spell is one of a human.
_QUADRUPED = re.compile(r"(LE|RT|D|V|CR|CD|R|M|L|PR|DI|PA|PL){1,3}")

# Enumerated Values: keyword to the allowed values and the section that lists them. None else may be used.
ENUMERATED: dict[str, tuple[tuple[str, ...], str]] = {
    "BurnedInAnnotation": (_YES_NO, "C.7.6.1"),
    "ImageLaterality": (("R", "L", "U", "B"), "C.7.6.1"),
    "Laterality": (("R", "L"), "C.7.3.1"),
    "LossyImageCompression": (("00", "01"), "C.7.6.1"),
    "PatientIdentityRemoved": (_YES_NO, "C.7.1.1"),
    "PatientSex": (("M", "F", "O"), "C.7.1.1"),
    "PatientSexNeutered": (("ALTERED", "UNALTERED"), "C.7.2.2"),
    "PixelIntensityRelationshipSign": (("1", "-1"), "C.8.11.3"),
    "PresentationLUTShape": (("IDENTITY", "INVERSE"), "C.11.6"),
    "QualityControlImage": (_YES_NO, "C.7.6.1"),
    "QualityControlSubject": (_YES_NO, "C.7.1.1"),
    "RecognizableVisualFeatures": (_YES_NO, "C.7.6.1"),
    "SmokingStatus": (("YES", "NO", "UNKNOWN"), "C.7.2.2"),
    "SpatialLocationsPreserved": (("YES", "NO", "REORIENTED_ONLY"), "C.7.6.1"),
    "TypeOfPatientID": (("TEXT", "RFID", "BARCODE"), "C.7.1.1"),
    "VOILUTFunction": (("LINEAR", "LINEAR_EXACT", "SIGMOID"), "C.11.2"),
}
_POSITIVE = {
    "PixelSpacing": "10.7.1",
    "ImagerPixelSpacing": "10.7.1",
    "NominalScannedPixelSpacing": "10.7.1",
    "SliceThickness": "C.7.6.2",
    "PixelAspectRatio": "C.7.6.3.1.7",
    "WindowWidth": "C.11.2.1.2",
}

# Defined Terms: others are allowed, but readers won't know them, so the preflight says so.
DEFINED: dict[str, tuple[tuple[str, ...], str]] = {
    "ConversionType": (
        tuple("DV DI DF WSD SD SI DRW SYN".split()),  # noqa: SIM905  # reads as the Standard lists them
        "C.8.6.1",
    ),
    "Modality": (
        tuple(
            "ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO IOL "  # noqa: SIM905
            "IVOCT IVUS KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG "
            "RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF STAIN "
            "TEXTUREMAP TG US VA XA XAPROTOCOL XC".split()
        ),
        "C.7.3.1.1.1",
    ),
}


def broken_rule(keyword: str, values: list[str]) -> str:
    """Return the rule of PS3.3 that the values break, or an empty string."""
    if keyword in ENUMERATED:
        allowed, section = ENUMERATED[keyword]
        if any(value and value.lstrip("+") not in allowed for value in values):
            return f"{keyword} is one of {', '.join(allowed)} (PS3.3 {section})"
    if keyword in _POSITIVE and any(value and float(value) <= 0 for value in values):
        return f"{keyword} is greater than zero (PS3.3 {_POSITIVE[keyword]})"
    if keyword == "ImageType":
        return _image_type(values)
    if keyword == "PatientOrientation" and not all(_orientation(value) for value in values):
        return "PatientOrientation is built from A, P, R, L, H and F, or given empty (PS3.3 C.7.6.1.1.1)"
    return ""


def _image_type(values: list[str]) -> str:
    if values[0] not in {"ORIGINAL", "DERIVED"} or values[1] not in {"PRIMARY", "SECONDARY"}:
        return "ImageType begins with ORIGINAL or DERIVED, then PRIMARY or SECONDARY (PS3.3 C.7.6.1.1.2)"
    return ""


def _orientation(value: str) -> bool:
    if not re.fullmatch(r"[APRLHF]{0,3}", value):
        return _QUADRUPED.fullmatch(value) is not None
    # One letter of each pair of opposites at most.
    return all(
        len(set(pair) & set(value)) <= 1 and all(value.count(x) <= 1 for x in pair) for pair in ("AP", "RL", "HF")
    )


def unknown_term(keyword: str, values: list[str]) -> str:
    """Return the Defined Terms' section where a value is not among them, or an empty string."""
    if keyword not in DEFINED:
        return ""
    allowed, section = DEFINED[keyword]
    if any(value and value not in allowed for value in values):
        return f"not a Defined Term of {keyword} (PS3.3 {section})"
    return ""
