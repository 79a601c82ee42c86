"""An object made once more by the converter: what differs from the file was changed after it was written."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.datadict import keyword_for_tag

from bulkdcm.dicom_file import meta_of
from bulkdcm.errors import RowError
from bulkdcm.model import Source
from bulkdcm.objects import MAKERS, Making
from bulkdcm.proof.kinds import CONTENT, META, UNPROVEN, Found

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bulkdcm.model import ManifestRow
    from bulkdcm.setting_parts import PixelSettings

_PIXEL_DATA = 0x7FE00010
_SHOWN = 60


def made(
    row: ManifestRow, sources: Sequence[tuple[bytes, str]], settings: PixelSettings, uid_key: bytes
) -> bytes | Found:
    """Return the file that the converter makes of a row now.

    Parameters
    ----------
    row
        Of the manifest.
    sources
        Bytes and SHA-256 of each.
    settings, uid_key
        As it was converted with.
    """
    making = Making(settings=settings, uid_key=uid_key, enter=lambda _: None)
    files = [Source(path=row.source, data=data, sha256=sha256, version=0) for data, sha256 in sources]
    maker = MAKERS[row.kind]
    try:
        return b"".join(maker.make(row, files, maker.read(row, files, making), making).data)
    except RowError as error:
        return Found(UNPROVEN, "file", f"it can't be made again: {error}")


def differing(data: bytes, fresh: bytes) -> Iterator[Found]:
    """Yield what a file has otherwise than the one that is made now; its pixels are compared elsewhere.

    Parameters
    ----------
    data
        The file, which can be read.
    fresh
        The one that is made now.
    """
    end, other = meta_of(data)[0], meta_of(fresh)[0]
    if data[:end] != fresh[:other]:
        yield Found(META, "file meta information", "its preamble or meta information isn't what is written")
    ours, theirs = dcmread(io.BytesIO(data)), dcmread(io.BytesIO(fresh))
    compressed = ours.file_meta.TransferSyntaxUID.is_encapsulated
    told = False
    for tag in sorted(set(ours.keys()) | set(theirs.keys())):
        if tag == _PIXEL_DATA and compressed:
            told = True  # other releases of an encoder make other bytes of the same pixels
            continue
        mine, other_value = _told(ours, tag), _told(theirs, tag)
        if mine != other_value:
            told = True
            private = tag.group == 0x0010 or tag == _PIXEL_DATA
            what = "other bytes" if private else f"{mine[:_SHOWN]} in the file, {other_value[:_SHOWN]} is written now"
            yield Found(CONTENT, keyword_for_tag(tag) or str(tag), what)
    if not told and data[end:] != fresh[other:]:
        yield Found(CONTENT, "file", "its bytes are others than are written now, though its values are the same")


def _told(dataset: Any, tag: Any) -> str:
    if tag not in dataset:
        return "nothing"
    value = dataset[tag].value
    return repr(bytes(value)) if isinstance(value, bytes | bytearray) else repr(str(value))
