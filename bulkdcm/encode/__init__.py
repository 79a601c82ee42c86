"""Pixels to streams, dataset and frame to the bytes of a DICOM file (PS3.10 7.1)."""

from bulkdcm.encode.codecs import check_codec, compress
from bulkdcm.encode.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, encode, encode_file

__all__ = [
    "IMPLEMENTATION_CLASS_UID",
    "IMPLEMENTATION_VERSION_NAME",
    "check_codec",
    "compress",
    "encode",
    "encode_file",
]
