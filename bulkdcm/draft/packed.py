"""What is in an archive of images: the same as of a folder, by the members' paths."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from bulkdcm.draft import facts, listing
from bulkdcm.errors import SettingsError
from bulkdcm.stores.members import DamagedError, rule_and_remedy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bulkdcm.stores.catalogue import Catalogue
    from bulkdcm.stores.members import Member

    Take = Callable[[], Iterator[bytes]]

_FAULT = "members that can't be used"
_TWICE = "several members have its name"


def listed(archive: str, catalogue: Catalogue, asked: Sequence[str]) -> listing.Listing:
    """Return what is in an archive, by paths within it.

    Parameters
    ----------
    archive
        Its name.
    catalogue
        Of the folder that it is in.
    asked
        Which facts of each image are wanted.

    Raises
    ------
    SettingsError
        If it can't be used.
    """
    found, seen = listing.Listing(), set[str]()
    try:
        for member, take in catalogue.contents(archive):
            if member.name in seen:
                _forget(member.name, found)
            else:
                seen.add(member.name)
                _at(member, take, found, asked)
    except DamagedError as error:
        rule, remedy = rule_and_remedy(str(error))
        msg = f"{archive}: can't be used: {rule}. {remedy}."
        raise SettingsError(msg) from error
    return found


def _at(member: Member, take: Take, found: listing.Listing, asked: Sequence[str]) -> None:
    """List a member as an image, or note why it is left out."""
    name = member.name
    if member.fault:
        found.note(_FAULT, f"{name} ({member.fault})")
        return
    if kind := listing.HIDDEN if any(part.startswith(".") for part in name.split("/")) else listing.unfit(name):
        found.note(kind, repr(name) if kind == listing.UNFIT else name)
        return
    try:
        data = b"".join(take()) if asked else next(take(), b"")
    except DamagedError as error:
        found.note(_FAULT, f"{name} ({error})")
        return
    is_dicom = listing.holds_dicom(data[: listing.HEAD_BYTES])
    if not (is_dicom or listing.holds_image(data)):
        found.note(listing.OTHER, name)
        return
    found.images.append(name)
    if is_dicom:
        found.dicom.add(name)
    for fact in asked:
        found.facts.setdefault(name, {}).update(facts.FACTS[fact](io.BytesIO(data)))


def _forget(name: str, found: listing.Listing) -> None:
    """Leave out a name that two members have."""
    if name in found.images:
        found.images.remove(name)
        found.dicom.discard(name)
    found.note(_FAULT, f"{name} ({_TWICE})")
