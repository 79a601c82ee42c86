"""What makes a DICOM object of a row: one maker a kind. A row's kind is what its cell `sop_class` asks for."""

from bulkdcm import iods
from bulkdcm.model import IMAGE, Offer
from bulkdcm.objects.base import Made, Maker, Making
from bulkdcm.objects.image import Image
from bulkdcm.objects.restamp import Restamp

__all__ = ["IMAGE", "MAKERS", "RESTAMP", "Made", "Maker", "Making", "offer"]

RESTAMP = "DICOM"
MAKERS: dict[str, Maker] = {IMAGE: Image(), RESTAMP: Restamp()}
"""By their kinds: `IMAGE` where the cell names a SOP class, else what the cell says."""


def offer() -> Offer:
    """Return what rows may ask for."""
    return Offer(
        classes=iods.BY_UID,
        names=iods.BY_NAME,
        default=iods.DEFAULT,
        refused=iods.REFUSED,
        kinds={kind: maker.endings for kind, maker in MAKERS.items() if kind != IMAGE},
    )
