"""What a maker is: how a row of its kind becomes the bytes of a DICOM object. It writes nothing and keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bulkdcm.model import InstanceUIDs, ManifestRow, Source
    from bulkdcm.setting_parts import PixelSettings

    Buffer = bytes | memoryview
    Stage = Literal["decode", "build", "encode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What makers are given beside the row.

    Attributes
    ----------
    settings
        Of the run.
    uid_key
        Secret that UIDs are derived with, or empty.
    enter
        To be told which stage begins, for the row's times, and for where it failed.
    """

    settings: PixelSettings
    uid_key: bytes
    enter: Callable[[Stage], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A DICOM object, and what the report says of it.

    Attributes
    ----------
    data
        The whole file, in pieces.
    uids
        Of the object.
    sop_class_uid, transfer_syntax_uid, photometric_interpretation
        As in the file; the last is empty where it has no pixels.
    rows, columns, bits_stored, samples_per_pixel
        Of its pixels; 0 where it has none.
    decisions
        What was decided about the pixels, in the order it happened.
    """

    data: Sequence[Buffer]
    uids: InstanceUIDs
    sop_class_uid: str
    transfer_syntax_uid: str
    photometric_interpretation: str = ""
    rows: int = 0
    columns: int = 0
    bits_stored: int = 0
    samples_per_pixel: int = 0
    decisions: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return what it is, a key a ledger column."""
        return {
            "study_instance_uid": self.uids.study_instance_uid,
            "series_instance_uid": self.uids.series_instance_uid,
            "sop_instance_uid": self.uids.sop_instance_uid,
            "sop_class_uid": self.sop_class_uid,
            "transfer_syntax_uid": self.transfer_syntax_uid,
            "photometric_interpretation": self.photometric_interpretation,
            "rows": self.rows,
            "columns": self.columns,
            "bits_stored": self.bits_stored,
            "samples_per_pixel": self.samples_per_pixel,
            "decisions": "; ".join(self.decisions),
        }


class Maker(Protocol):
    """One kind of object.

    Attributes
    ----------
    endings
        Of sources that mean this kind, in lower case, where the row asks for nothing.
    output_schema
        Number of the rules that the bytes follow; raised only if they change for the same row and settings.
    called_up_schema
        The same, of rows whose attributes call up others (`attributes.conditions.calling`).
    refers
        Whether `depends_on` may name rows, so that it is worth asking.
    """

    endings: ClassVar[tuple[str, ...]]
    output_schema: ClassVar[int]
    called_up_schema: ClassVar[int]
    refers: ClassVar[bool]

    def depends_on(self, row: ManifestRow) -> tuple[str, ...]:
        """Return the sources of the rows whose objects this one refers to: they are made first, and come as `references`."""
        ...

    def read(self, row: ManifestRow, sources: Sequence[Source], making: Making) -> Any:
        """Return what the sources hold, for `make`. `PixelError` if they can't be had exactly."""
        ...

    def size_bytes(self, content: Any) -> int:
        """Return about how much memory what `read` gave takes, so that not too much is held at once."""
        ...

    def make(self, row: ManifestRow, sources: Sequence[Source], content: Any, making: Making) -> Made:
        """Return the object made of what `read` gave. A `RowError` if it can't be made."""
        ...
