"""Keyword to tag, VR and VM, with a did-you-mean, and which attributes a manifest may not set."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache

from pydicom.datadict import dictionary_VM, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.datadict import keyword_dict as _keywords

SOURCE = "source"
RESERVED = (SOURCE, "output", "sop_class", "study", "series", "instance", "frame", "sha256")

# Written from the image, the settings or the SOP class; a manifest that set them could make the object contradict itself.
OWNED = {
    "SpecificCharacterSet": "every output is ISO_IR 192 (UTF-8)",
    "SOPClassUID": "the sop_class column chooses it",
    "PixelData": "it comes from the image",
    **dict.fromkeys(
        (
            "Rows",
            "Columns",
            "SamplesPerPixel",
            "SamplesPerPixelUsed",
            "PlanarConfiguration",
            "BitsAllocated",
            "BitsStored",
            "HighBit",
            "PixelRepresentation",
            "NumberOfFrames",
            "FrameIncrementPointer",
            "FloatPixelData",
            "DoubleFloatPixelData",
            "PixelPaddingRangeLimit",
            "SmallestImagePixelValue",
            "LargestImagePixelValue",
            "SmallestPixelValueInSeries",
            "LargestPixelValueInSeries",
            "SmallestImagePixelValueInPlane",
            "LargestImagePixelValueInPlane",
            "ExtendedOffsetTable",
            "ExtendedOffsetTableLengths",
            "ICCProfile",
            "ColorSpace",
        ),
        "it comes from the image",
    ),
    **dict.fromkeys(
        (
            *(
                f"{kind}{color}PaletteColorLookupTable{part}"
                for color in ("Red", "Green", "Blue", "Alpha")
                for kind, part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
                if (kind, color, part) != ("", "Alpha", "Descriptor")
            ),
            "PaletteColorLookupTableUID",
        ),
        "palettes are expanded, so that no image is PALETTE COLOR (PS3.3 C.7.6.3.1.2)",
    ),
    "PixelDataProviderURL": "the pixels are in the file (PS3.3 C.7.6.3)",
    **dict.fromkeys(
        (
            "ConcatenationUID",
            "SOPInstanceUIDOfConcatenationSource",
            "InConcatenationNumber",
            "InConcatenationTotalNumber",
            "ConcatenationFrameOffsetNumber",
        ),
        "all frames of an object are in one file (PS3.3 C.7.6.16.2.2.4)",
    ),
}
_CODE_SEQUENCES = frozenset(
    {"AnatomicRegionSequence", "AnatomicRegionModifierSequence", "PrimaryAnatomicStructureSequence"}
)
# Called so, but with other attributes of Type 1 in their items.
_MORE_THAN_CODES = frozenset(
    {"MultiplexedAudioChannelsDescriptionCodeSequence", "ContentCreatorIdentificationCodeSequence"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One attribute of the data dictionary (PS3.6)."""

    keyword: str
    tag: int
    vr: str
    vm: str

    @property
    def is_code_sequence(self) -> bool:
        """Whether its items are codes (PS3.3 8.8), which a cell can hold."""
        return self.vr == "SQ" and (
            (self.keyword.endswith("CodeSequence") and self.keyword not in _MORE_THAN_CODES)
            or self.keyword in _CODE_SEQUENCES
        )

    def takes(self, count: int) -> bool:
        """Whether `count` values fit the VM, as ``1``, ``1-n``, ``2-2n``, ``1-3``, ``3-3n`` or ``1-n or 1``."""
        return any(_fits(count, part) for part in self.vm.split(" or "))


def _fits(count: int, vm: str) -> bool:
    low, _, high = vm.partition("-")
    if not high:
        return count == int(low)
    if high.endswith("n"):
        step = int(high[:-1] or 1)
        return count >= int(low) and count % step == 0
    return int(low) <= count <= int(high)


@lru_cache(maxsize=8192)
def find(keyword: str) -> Entry | None:
    """Return the dictionary entry of `keyword`, or None."""
    tag = tag_for_keyword(keyword)
    if tag is None or not keyword:
        return None
    return Entry(keyword=keyword, tag=tag, vr=dictionary_VR(tag), vm=dictionary_VM(tag))


def tag_of(keyword: str) -> int:
    """Return the tag of a keyword that is in the dictionary."""
    entry = find(keyword)
    return entry.tag if entry else 0


@lru_cache(maxsize=8192)
def find_tag(tag: int) -> Entry | None:
    """Return the dictionary entry of a tag, or None."""
    return find(keyword_for_tag(tag))


def did_you_mean(name: str) -> str:
    """Return ``Did you mean …?`` for a name that is no keyword, or an empty string."""
    return f"Did you mean {likely}?" if (likely := likely_meant(name)) else ""


def likely_meant(name: str) -> str:
    """Return the keyword, or the manifest's own name, that a name is most like; empty if it is like none."""
    folded = re.sub(r"[^a-z0-9]", "", name.lower().replace("patients", "patient"))
    names = {**{keyword.lower(): keyword for keyword in _keywords if keyword}, **{word: word for word in RESERVED}}
    hexed = re.fullmatch(r"\(?([0-9a-fA-F]{4}),?([0-9a-fA-F]{4})\)?", name.strip())
    if hexed and (keyword := keyword_for_tag(int(hexed[1] + hexed[2], 16))):
        return keyword
    close = difflib.get_close_matches(folded, names, n=1, cutoff=0.75)
    return names[close[0]] if close else ""
