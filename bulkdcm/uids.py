"""Role and keys to UID, the same on every machine (PS3.5 B.2: a UUID under the arc 2.25).

The UUID's bits come from SHA-256, or HMAC-SHA256 with a project's key, over the level and its fields. Each field is
NFC-normalised and preceded by its length, so that no two lists of fields give the same bytes. With a key, nobody
who can guess PatientIDs can find out which of them a UID was made from.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from bulkdcm.errors import SettingsError
from bulkdcm.model import InstanceUIDs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bulkdcm.model import ManifestRow

STUDY_KEYS = ("IssuerOfPatientID", "PatientID", "study", "AccessionNumber", "StudyID", "StudyDate")
SERIES_KEYS = ("series", "SeriesNumber", "Modality")
_SCHEME = b"bulkdcm uid 1"
_MIN_KEY_BYTES = 16
_MAX_KEY_BYTES = 16_000_000


def normal_form(text: str) -> str:
    """Return the form of a text that keys are derived from and compared in: Unicode's NFC."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def derive(level: str, fields: Iterable[str], key: bytes = b"") -> str:
    """Return the UID of `level` for `fields`.

    Parameters
    ----------
    level
        ``study``, ``series``, ``instance`` or another role; different levels never share a UID.
    fields
        The values that make it what it is, in a fixed order.
    key
        Secret of the project; empty for plain SHA-256.

    Returns
    -------
    str
        ``2.25.`` and the integer of a version 8 UUID (RFC 9562), at most 44 characters.
    """
    message = bytearray(_SCHEME)
    for text in (level, *fields):
        encoded = normal_form(text).encode("utf-8")
        message += len(encoded).to_bytes(8, "big") + encoded
    digest = hmac.digest(key, message, "sha256") if key else hashlib.sha256(message).digest()
    bits = int.from_bytes(digest[:16], "big")
    bits = bits & ~(0xF << 76) | 8 << 76  # version 8: custom
    bits = bits & ~(0x3 << 62) | 0x2 << 62  # variant 10
    return f"2.25.{bits}"


@lru_cache(maxsize=4096)
def _series_of(
    study_fields: tuple[str, ...], series_fields: tuple[str, ...], given: tuple[str, str], key: bytes
) -> tuple[str, str]:
    study_uid = given[0] or derive("study", study_fields, key)
    series_uid = given[1] or derive("series", (study_uid, *series_fields), key)
    return study_uid, series_uid


@lru_cache(maxsize=4096)
def _frame_of_reference_of(series_uid: str, key: bytes) -> str:
    return derive("frame of reference", (series_uid,), key)


def assign(row: ManifestRow, source_sha256: str, pixel_options: str, key: bytes = b"") -> InstanceUIDs:
    """Return the UIDs of `row`: those of its columns where given, else derived.

    Parameters
    ----------
    row
        Its attributes must hold Modality.
    source_sha256
        Hex digest of the source file, so that changed pixels get a new UID.
    pixel_options
        The settings that change pixels, canonical; empty for the defaults.
    key
        Secret of the project, or empty.
    """
    get = row.attributes.get
    study_uid, series_uid = _series_of(
        tuple(row.study if name == "study" else get(name, "") for name in STUDY_KEYS),
        (*(row.series if name == "series" else get(name, "") for name in SERIES_KEYS), row.sop_class_uid),
        (get("StudyInstanceUID", ""), get("SeriesInstanceUID", "")),
        key,
    )
    instance_uid = get("SOPInstanceUID", "")
    if not instance_uid:
        name = ("key", row.instance) if row.instance else ("source", row.place)
        instance_uid = derive("instance", (series_uid, *name, source_sha256, pixel_options), key)
    return InstanceUIDs(
        study_instance_uid=study_uid,
        series_instance_uid=series_uid,
        sop_instance_uid=instance_uid,
        frame_of_reference_uid=_frame_of_reference_of(series_uid, key),
    )


def read_key(path: Path | None) -> bytes:
    """Return the project's key from a file, without a line end at its end; empty for no file.

    Raises
    ------
    SettingsError
        If the file can't be read, or holds fewer than 16 bytes or more than 16 MB.
    """
    if path is None:
        return b""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            msg = f"--uid-key-file {path}: not a regular file. Give a file of some random bytes."
            raise SettingsError(msg)
        with path.open("rb") as file:
            key = file.read(_MAX_KEY_BYTES + 1).rstrip(b"\r\n")
    except OSError as error:
        msg = f"--uid-key-file {path}: {error.strerror}. Give a readable file."
        raise SettingsError(msg) from error
    if len(key) > _MAX_KEY_BYTES:
        msg = f"--uid-key-file {path}: more than {_MAX_KEY_BYTES:,} bytes, which is no key. Give a file of some random bytes."
        raise SettingsError(msg)
    if len(key) < _MIN_KEY_BYTES:
        msg = f"--uid-key-file {path}: {len(key)} bytes are too few to keep a secret. Give at least {_MIN_KEY_BYTES} random bytes."
        raise SettingsError(msg)
    return key
