"""Images to the SOP class that their row asks for."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar

from bulkdcm import images, iods, uids
from bulkdcm.encode import compress, encode
from bulkdcm.objects.base import Made

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.model import Frame, ManifestRow, Source
    from bulkdcm.objects.base import Making


class Image:
    """One image, or several that are the frames of one object."""

    endings: ClassVar[tuple[str, ...]] = ()
    # 2: what attributes call up is written, empty where nothing is known. 3: windows of the values present.
    output_schema: ClassVar[int] = 3
    called_up_schema: ClassVar[int] = 3
    refers: ClassVar[bool] = False

    def depends_on(self, row: ManifestRow) -> tuple[str, ...]:  # noqa: ARG002  # see `Maker`
        """Return nothing: an image stands for itself."""
        return ()

    def read(self, row: ManifestRow, sources: Sequence[Source], making: Making) -> Frame:
        """Return the pixels, or a stream to pass through."""
        making.enter("decode")
        iod = iods.BY_UID[row.sop_class_uid]
        settings = making.settings
        if settings.invert and not iods.inverts(row, settings):
            settings = settings.changed(invert=False)
        frame = images.read(sources, settings, iod)
        iods.check_frame(iod, row, frame)
        return iods.shown(iod, row, frame, settings)

    def size_bytes(self, content: Frame) -> int:
        """Return the size of pixels and streams."""
        return (0 if content.pixels is None else content.pixels.nbytes) + sum(map(len, content.streams))

    def make(self, row: ManifestRow, sources: Sequence[Source], content: Frame, making: Making) -> Made:
        """Return the object."""
        settings = making.settings
        making.enter("encode")
        frame = compress(content, settings)
        making.enter("build")
        instance = uids.assign(row, _digest(sources), settings.pixel_options, making.uid_key)
        dataset = iods.build(row, frame, instance)
        making.enter("encode")
        data, transfer_syntax_uid = encode(dataset, frame, settings.compression)
        return Made(
            data=data,
            uids=instance,
            sop_class_uid=row.sop_class_uid,
            transfer_syntax_uid=transfer_syntax_uid,
            photometric_interpretation=frame.photometric_interpretation,
            rows=frame.rows,
            columns=frame.columns,
            bits_stored=frame.bits_stored,
            samples_per_pixel=frame.samples_per_pixel,
            decisions=frame.decisions,
        )


def _digest(sources: Sequence[Source]) -> str:
    """Return the SHA-256 of the source, or that of several sources' in their order."""
    if len(sources) == 1:
        return sources[0].sha256
    return hashlib.sha256("".join(source.sha256 for source in sources).encode("ascii")).hexdigest()
