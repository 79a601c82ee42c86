"""SOP Classes as declarations over modules, and a dataset built from them."""

from bulkdcm.iods.build import build, check_frame, fitted
from bulkdcm.iods.registry import BY_NAME, BY_UID, DEFAULT, IODS, REFUSED
from bulkdcm.iods.window import windowed

__all__ = ["BY_NAME", "BY_UID", "DEFAULT", "IODS", "REFUSED", "build", "check_frame", "fitted", "windowed"]
