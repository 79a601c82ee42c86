"""What to say of a SOP class that isn't offered: what was meant where that is plain, else what to use instead."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from pydicom._uid_dict import UID_dictionary

from bulkdcm.attributes import terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bulkdcm.model import IOD

# What people call a modality, beside its Defined Term.
_CALLED = {
    "angio": "XA", "angiography": "XA", "dental": "IO", "dermatoscopy": "DMS", "dermoscopic": "DMS", "dermoscopy": "DMS",
    "digitalxray": "DX", "endoscopy": "ES", "fluoroscopy": "RF", "fundus": "OP", "intraoral": "IO", "mammo": "MG",
    "mammogram": "MG", "mammography": "MG", "microscopy": "GM", "mri": "MR", "nuclearmedicine": "NM", "oct": "OPT",
    "panoramic": "PX", "pet": "PT", "photo": "XC", "photograph": "XC", "spect": "NM", "ultrasound": "US", "wholeslide": "SM",
    "wsi": "SM", "xray": "DX",
}  # fmt: skip
_SUFFIX = re.compile(r"(image)?(stor[a-z]*)?$")
_FEWEST, _ALIKE = 6, 0.85
INSTEAD = "SecondaryCaptureImageStorage"


def advice(name: str, iods: Mapping[str, IOD]) -> tuple[str, str]:
    """Return the rule and the remedy for a name in the column sop_class that is none of those offered.

    A class of another modality is never proposed: its objects would be called what they are not.

    Parameters
    ----------
    name
        As written.
    iods
        SOP Class UID to SOP class.
    """
    modality = _modality(name)
    if uid := _standard(name):
        keyword = UID_dictionary[uid][4]
        if uid in iods:
            return "not how the SOP class is written", f"Did you mean {keyword}?"
        return f"{keyword} is a SOP class that bulkdcm doesn't write", _instead(modality)
    if modality:
        takes = [iod for iod in iods.values() if modality in iod.modalities]
        fitting = [iod.alias for iod in takes if iod.modalities[0] == modality] or [iod.alias for iod in takes]
        if fitting:
            return "not a SOP class that bulkdcm writes", f"Did you mean {' or '.join(fitting)}?"
        return f"bulkdcm writes no SOP class for {modality} images", _instead(modality)
    known = ", ".join(iod.alias for iod in iods.values())
    return "not a SOP class that bulkdcm writes", f"Use a keyword, a UID or one of {known}"


def _instead(modality: str) -> str:
    return f"Use {INSTEAD} with Modality {modality}" if modality else f"Use {INSTEAD} with the Modality of the images"


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _modality(name: str) -> str:
    """Return the Defined Term of Modality that a name stands for, or an empty string."""
    word = _SUFFIX.sub("", _folded(name))
    if word.upper() in terms.DEFINED["Modality"][0]:
        return word.upper()
    return _CALLED.get(word, "")


@lru_cache(maxsize=1)
def _storage_classes() -> dict[str, str]:
    """Return the UIDs of the Storage SOP Classes of PS3.6 by keyword and by UID, folded, and without what all end in."""
    found: dict[str, str] = {}
    for uid, (name, kind, _, _, keyword) in UID_dictionary.items():
        if kind == "SOP Class" and "Storage" in name:
            for text in (_folded(keyword), _folded(uid), _SUFFIX.sub("", _folded(keyword))):
                found.setdefault(text, uid)
    return found


def _standard(name: str) -> str:
    """Return the UID of the Storage SOP Class that a name or a slip of one is, or an empty string."""
    classes, word = _storage_classes(), _folded(name)
    for text in (word, _SUFFIX.sub("", word)):
        if text and text in classes:
            return classes[text]
    word = _SUFFIX.sub("", word)
    if len(word) < _FEWEST or word in _CALLED:
        return ""
    close = difflib.get_close_matches(word, classes, n=2, cutoff=_ALIKE)
    alike = [difflib.SequenceMatcher(a=text, b=word).ratio() for text in close]
    return classes[close[0]] if len({*alike}) == len(alike) > 0 else ""
