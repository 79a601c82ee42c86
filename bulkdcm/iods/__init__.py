"""SOP Classes as declarations over modules, and a dataset built from them."""

from bulkdcm.iods.build import build, check_frame
from bulkdcm.iods.meaning import inverts, shown
from bulkdcm.iods.registry import BY_NAME, BY_UID, DEFAULT, IODS, REFUSED

__all__ = ["BY_NAME", "BY_UID", "DEFAULT", "IODS", "REFUSED", "build", "check_frame", "inverts", "shown"]
