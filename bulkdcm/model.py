"""The types that travel between the layers: frozen, slotted, keyword-only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from bulkdcm.problem import Problem as Problem  # noqa: PLC0414  # travels too: the layers take it from here

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from typing import Protocol

    import numpy.typing as npt

    from bulkdcm.elements import Elements

    class DataTable(Protocol):
        """A pandas DataFrame, as far as it is known here."""

        columns: Any
        iloc: Any

        def __len__(self) -> int: ...

    Given = str | os.PathLike[str] | DataTable  # a manifest, as callers have it
    Pixels = npt.NDArray[Any]  # uint8 or uint16; numpy types the two together as Any

IMAGE = "image"  # the kind of rows that ask for a SOP class
PixelKind = Literal["gray8", "gray16", "rgb8", "rgb16"]


class Fingerprint(NamedTuple):
    """What the ledger keeps of a row to know it again, and why the row runs.

    Attributes
    ----------
    identity, metadata
        Hashes of what names the row, and of its cells.
    schema_number
        Of the rules that its bytes follow.
    reason
        Why it runs.
    attempt
        How many times it has been tried, with this one.
    """

    identity: int
    metadata: int
    schema_number: int
    reason: str
    attempt: int


class Replaceable(NamedTuple):
    """A file that a row's output may take the place of: its name, and the version that was looked at."""

    output: str
    version: int | str


class Reference(NamedTuple):
    """An object that another refers to (PS3.3 C.12.1): the row's source, and what was made of it."""

    source: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRow:
    """One line of the manifest that is a frame of an object.

    Attributes
    ----------
    ordinal, source, sha256, fingerprint
        As in `ManifestRow`.
    """

    ordinal: int
    source: str
    sha256: str = ""
    fingerprint: Fingerprint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRow:
    """One line of the manifest, as the worker gets it; or the lines that make one object together.

    Attributes
    ----------
    ordinal
        Position among the manifest's rows, from 0.
    line
        Line of the CSV file.
    source
        Path of the image relative to the image root, with forward slashes.
    unpacked
        Where the source lies or, of a member of an archive, would lie if that were unpacked; empty: the source.
    output
        Path of the output relative to the output folder; empty where the layout derives it from the UIDs.
    kind
        What makes an object of it, a key of `objects.MAKERS`.
    sop_class_uid
        The SOP Class the row asks for; empty if its kind has none to choose.
    study, series, instance
        Grouping keys; empty where not given.
    sha256
        Expected SHA-256 of the source, lower-case hex; empty where not given.
    attributes
        DICOM keyword to cell text, empty cells left out.
    frames
        Where several lines are the frames of one object: all of them in that order, the first being this row's own.
    replaces
        What its output may take the place of: its own of an earlier run, or another that was found to be free for it.
    staged
        Whether its file is complete under another name first, until it is known that no other row has its UID.
    references
        The objects that it refers to, as its kind asks for them.
    fingerprint
        For the ledger.
    """

    ordinal: int
    line: int
    source: str
    output: str
    sop_class_uid: str = ""
    kind: str = IMAGE
    study: str = ""
    series: str = ""
    instance: str = ""
    sha256: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    frames: tuple[FrameRow, ...] = ()
    replaces: Replaceable | None = None
    staged: bool = False
    references: tuple[Reference, ...] = ()
    fingerprint: Fingerprint | None = None
    unpacked: str = ""

    @property
    def place(self) -> str:
        """By what the image is known, whether it lies in an archive or not."""
        return self.unpacked or self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Lossy:
    """That the pixels went through a lossy compression (PS3.3 C.7.6.1.1.5).

    Attributes
    ----------
    ratio
        Uncompressed size over compressed size.
    method
        Defined Term of Lossy Image Compression Method; empty where the Standard has none.
    """

    ratio: float
    method: str = ""


AspectRatio = tuple[int, int]
"""Height and width of a pixel against each other, in whole numbers."""


class Window(NamedTuple):
    """Window Center and Window Width (PS3.3 C.11.2), as text of DS."""

    center: str
    width: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a reader makes of an image: pixels, or compressed streams to encapsulate; one of the two.

    Attributes
    ----------
    rows, columns
        Size in pixels.
    samples_per_pixel
        1 or 3.
    bits_stored
        Significant bits a sample; allocated are 8 or 16.
    photometric_interpretation
        Term of PS3.3 C.7.6.3.1.2.
    pixels
        Shape ``([frames, ]rows, columns[, 3])``, dtype uint8 or uint16; None where there are streams.
    streams
        The compressed streams to encapsulate, one a frame; empty for pixels.
    transfer_syntax_uid
        The streams'; empty for pixels.
    number_of_frames
        Frames of a multi-frame image; 0 for a single image, whose pixels have no axis of frames.
    lossy
        The lossy compressions that the pixels went through, in that order.
    icc_profile
        Input-class profile of a colour image; empty where there is none.
    color_space
        Defined Term of Color Space that the profile is known to be; else empty.
    window
        What viewers should show first; None for what they do by themselves.
    aspect_ratio
        Of pixels that aren't square, by the file; else None.
    derivations
        In which ways the pixels are not the source's any more.
    decisions
        What was decided about the pixels, in the order it happened.
    """

    rows: int
    columns: int
    samples_per_pixel: int
    bits_stored: int
    photometric_interpretation: str
    pixels: Pixels | None = None
    streams: tuple[bytes, ...] = ()
    transfer_syntax_uid: str = ""
    number_of_frames: int = 0
    lossy: tuple[Lossy, ...] = ()
    icc_profile: bytes = b""
    color_space: str = ""
    window: Window | None = None
    aspect_ratio: AspectRatio | None = None
    derivations: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()

    @property
    def bits_allocated(self) -> int:
        """8 or 16."""
        return 8 if self.bits_stored <= 8 else 16

    @property
    def kind(self) -> PixelKind:
        """The kind of pixels a SOP class declares to take."""
        color = "gray" if self.samples_per_pixel == 1 else "rgb"
        return f"{color}{self.bits_allocated}"  # type: ignore[return-value]  # the four combinations are PixelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The bytes of one source file.

    Attributes
    ----------
    path
        As in the manifest, for messages.
    data
        The whole file.
    sha256
        Of `data`, lower-case hex.
    version
        Of the file read, as its store has it: in a folder, its modification time in nanoseconds.
    """

    path: str
    data: bytes
    sha256: str
    version: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceUIDs:
    """The UIDs of one instance (PS3.3 C.12.1, C.7.2.1, C.7.3.1), and the frame of reference of its series (C.7.4.1)."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    frame_of_reference_uid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A DICOM module as far as bulkdcm fills it by itself.

    Attributes
    ----------
    name, section
        As in PS3.3.
    empty
        Type 2 attributes: always present, zero-length where the manifest says nothing.
    defaults
        Attributes with an honest default, keyword to cell text.
    fill
        Called after the row's attributes are in the dataset, for what depends on them or on the frame.
    varies
        Whether what it fills differs between images that are alike in all but their pixels.
    """

    name: str
    section: str
    empty: tuple[str, ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()
    fill: Callable[[Elements, ManifestRow, Frame], None] | None = None
    varies: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IOD:
    """One SOP Class: what it is made of and what it takes.

    Attributes
    ----------
    alias
        Short name accepted in the ``sop_class`` column beside the keyword and the UID.
    keyword, sop_class_uid
        As in PS3.6 annex A.
    section
        Of PS3.3.
    modalities
        What Modality may be, the first being the default; an empty tuple takes any, with `OT` as default.
    modules
        In the order they are filled.
    pixel_kinds
        The pixels the class may hold.
    photometric_interpretations
        What an encapsulated colour stream may be called; colour is RGB when native.
    required
        Attributes without an honest default: keyword to the reason, which the preflight says.
    frame_of_reference
        The attribute that holds the UID of the frame of reference, where the class has one.
    multi_frame
        Whether its image has frames, one or many.
    least_deep_bits
        The fewest bits that may be stored of 16 that are allocated.
    spacing
        The attribute that says how large a pixel is by the density of a file (PS3.3 10.7.1).
    monochrome1
        Whether its gray may be such that a low value is light.
    """

    alias: str
    keyword: str
    sop_class_uid: str
    section: str
    modalities: tuple[str, ...]
    modules: tuple[Module, ...]
    pixel_kinds: frozenset[PixelKind]
    photometric_interpretations: frozenset[str]
    required: tuple[tuple[str, str], ...] = ()
    frame_of_reference: str = ""
    multi_frame: bool = False
    least_deep_bits: int = 9
    spacing: str = "PixelSpacing"
    monochrome1: bool = False

    @property
    def voi_lut(self) -> bool:
        """Whether its objects may say what viewers should show first (PS3.3 C.11.2)."""
        return any(module.section == "C.11.2" for module in self.modules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What rows may ask for in the column ``sop_class``.

    Attributes
    ----------
    classes
        SOP Class UID to SOP class.
    names
        Name, alias or UID to SOP class.
    default
        Name of the SOP class of rows that ask for nothing.
    refused
        Keyword or UID of a SOP class that is never written to the reason.
    kinds
        What a row may ask for instead of a SOP class, such as a DICOM file's own: to the endings of sources that mean it.
    """

    classes: Mapping[str, IOD]
    names: Mapping[str, IOD]
    default: str
    refused: Mapping[str, str]
    kinds: Mapping[str, tuple[str, ...]]
