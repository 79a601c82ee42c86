"""Dataset and frame to the bytes of a DICOM file (PS3.10 7.1)."""

from bulkdcm.encode.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, encode

__all__ = ["IMPLEMENTATION_CLASS_UID", "IMPLEMENTATION_VERSION_NAME", "encode"]
