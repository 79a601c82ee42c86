"""A folder in which a name may mean a member of an archive, too: how sources are read if any of them does."""

from __future__ import annotations

import io
import os
import sqlite3
from dataclasses import dataclass
from itertools import repeat
from typing import IO, TYPE_CHECKING

from bulkdcm.errors import ReadError
from bulkdcm.stores import archive_files, archives, catalogue, formats, reading
from bulkdcm.stores.base import Stat
from bulkdcm.stores.index import held
from bulkdcm.stores.local import Local
from bulkdcm.stores.members import DamagedError, rule_and_remedy
from bulkdcm.stores.spool import FOLDER, Spool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.model import Source
    from bulkdcm.stores.index import Index, Listed
    from bulkdcm.stores.members import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class WithArchives(Local):
    """Files in a folder, and members of archives in it.

    Attributes
    ----------
    home
        Folder with the index of the archives, and with what was unpacked of those that can only be read in order.
    files
        Names that read as members and are files.
    """

    home: str = ""
    files: frozenset[str] = frozenset()

    def _divided(self, name: str) -> tuple[str, str] | None:
        return archives.split(name, self.files)

    def version_is_its_own(self, name: str) -> bool:
        """See `Store`: an archive that is made anew changes the versions of members that are what they were."""
        return self._divided(name) is None

    def stats(self, names: Sequence[str]) -> list[Stat | None]:
        """See `Store`."""
        found: list[Stat | None] = [None] * len(names)
        files: list[int] = []
        members: dict[str, dict[int, str]] = {}
        for place, name in enumerate(names):
            if divided := self._divided(name):
                members.setdefault(divided[0], {})[place] = divided[1]
            else:
                files.append(place)
        for place, stat in zip(files, Local.stats(self, [names[place] for place in files]), strict=True):
            found[place] = stat
        index = self._index()
        for archive, asked in members.items():
            listed = self._listed(index, archive)
            known = index.known(listed.number, asked.values()) if index and listed else repeat(None)
            for place, member in zip(asked, known):  # noqa: B905  # nothing is known of as many as there are
                found[place] = Stat(member.size, member.version) if member else None
        return found

    def _listed(self, index: Index | None, archive: str) -> Listed | None:
        """Return an archive as it is listed; None if it isn't, or is another by now."""
        known = index.archive(archive) if index else None
        try:
            status = os.stat(f"{self.root}/{archive}")
        except OSError:
            return None
        return known if known and _same(known, status) else None

    def open(self, name: str) -> IO[bytes]:
        """See `Store`."""
        if self._divided(name) is None:
            return Local.open(self, name)
        try:
            return io.BytesIO(self.read(name).data)
        except ReadError as error:
            raise OSError(str(error)) from error

    def read(self, name: str) -> Source:
        """See `Store`."""
        divided = self._divided(name)
        if divided is None:
            return Local.read(self, name)
        try:
            member, data = self._member(*divided)
        except DamagedError as error:
            msg = f"{name}: {error}."
            raise ReadError(msg) from error
        except sqlite3.Error as error:
            msg = (
                f"{name}: the list of its archive's members can't be read: {error}. Remove {self.home}, then run again."
            )
            raise ReadError(msg) from error
        except OSError as error:
            msg = f"{name}: reading failed: {error.strerror or error}. Check the disk, then run again."
            raise ReadError(msg) from error
        return reading.source(name, data, member.version)

    def _member(self, archive: str, name: str) -> tuple[Member, bytes]:
        try:
            file = archive_files.held(self.root, archive, option=self.option, follow_links=self.follow_links)
        except ReadError as error:
            raise DamagedError(str(error).removeprefix(f"{archive}: ").removesuffix(".")) from error
        index = self._index()
        listed = index.archive(archive) if index else None
        if index is None or listed is None or not _same(listed, os.fstat(file.descriptor)):
            msg = f"{archive} has changed during the run. Run again"
            raise DamagedError(msg)
        if listed.fault:
            raise DamagedError(archive_fault(archive, listed.fault))
        member = index.member(listed.number, name)
        if member is None:
            rest = f", and the rest of it isn't known: {listed.ends}" if listed.ends else ""
            msg = f"no such member in {archive}{rest}. Check the source column"
            raise DamagedError(msg)
        if member.fault:
            raise DamagedError(member_fault(member.fault))
        if not formats.is_ordered(archive):
            return member, formats.read(file.descriptor, member)
        return member, self._unpacked(archive, listed, name)

    def _unpacked(self, archive: str, listed: Listed, name: str) -> bytes:
        spool = Spool(f"{self.home}/{FOLDER}")
        found = spool.find(archive, listed, name)
        if found is None and (own := catalogue.of_this_process(self.home)):
            own.unpack(archive)
            found = spool.find(archive, listed, name)
        if found is None:
            msg = f"{self.home}/{FOLDER} doesn't hold it, where the run has unpacked it to. Run again"
            raise DamagedError(msg)
        file, place = found
        with open(f"{self.home}/{FOLDER}/{file}", "rb") as spooled:
            return formats.read(spooled.fileno(), place)

    def _index(self) -> Index | None:
        return held(f"{self.home}/{catalogue.INDEX}")


def archive_fault(archive: str, fault: str) -> str:
    """Return what is said of a member whose archive can't be used."""
    rule, remedy = rule_and_remedy(fault)
    return f"{archive!r} can't be used: {rule}. {remedy}"


def member_fault(fault: str) -> str:
    """Return what is said of a member that can't be used."""
    return f"the member can't be used: {fault}. Unpack it yourself, if you trust it, and name the file"


def _same(listed: Listed, status: os.stat_result) -> bool:
    return (listed.size, listed.mtime_ns) == (status.st_size, status.st_mtime_ns)
