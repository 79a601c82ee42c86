"""Some rows of a ledger in a worker: each file against what was recorded, the row, and the source."""

from __future__ import annotations

import hashlib
import stat
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkdcm import images, proof, signals, validation
from bulkdcm.conversion.chunk import check_worker
from bulkdcm.conversion.given import recorded
from bulkdcm.conversion.lot import Proofs
from bulkdcm.conversion.row import lines_of, uid_output
from bulkdcm.engines import guard
from bulkdcm.errors import ReadError, SettingsError
from bulkdcm.model import InstanceUIDs
from bulkdcm.proof import dciodvfy, kinds
from bulkdcm.proof.kinds import Found
from bulkdcm.proof.verification import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bulkdcm.conversion.context import Context
    from bulkdcm.conversion.lot import Asked, Entry, Lot
    from bulkdcm.model import ManifestRow
    from bulkdcm.proof import Opened

_RECORDED = (
    ("StudyInstanceUID", "study_instance_uid"),
    ("SeriesInstanceUID", "series_instance_uid"),
    ("SOPInstanceUID", "sop_instance_uid"),
    ("SOPClassUID", "sop_class_uid"),
    ("PhotometricInterpretation", "photometric_interpretation"),
    ("Rows", "rows"),
    ("Columns", "columns"),
    ("BitsStored", "bits_stored"),
    ("SamplesPerPixel", "samples_per_pixel"),
)


def prove_lot(lot: Lot, context: Context, asked: Asked) -> Proofs:
    """Look at the files of a lot.

    Raises
    ------
    ClusterError
        As `chunk.check_worker` does.
    """
    check_worker(context)
    rows = lot.part.rows() if lot.part else []
    done = Proofs()
    with signals.Deadline(context.settings.row_timeout_s) as deadline:
        for entry in lot.entries:
            guard.begin(entry.number)
            one = Proving(entry, rows[entry.row] if entry.row >= 0 else None, context, asked)
            try:
                deadline.of(one.go, 0.0)()
            except signals.RowTimeoutError:
                one.say(Found(kinds.UNPROVEN, "file", "it took longer than --row-timeout"))
            except MemoryError:
                one.say(Found(kinds.UNPROVEN, "file", "not enough memory. Raise --memory-limit, or lower --n-jobs"))
            except Exception as error:  # noqa: BLE001  # such as of a manifest that no run would take; kept, not lost
                one.say(Found(kinds.UNPROVEN, "file", f"{type(error).__name__}: {error}"))
            one.into(done)
            guard.end()
    return done


class Proving:
    """One file.

    Parameters
    ----------
    entry, row
        Of the ledger, and of the manifest if it is known.
    context
        Of the verification, as of a run.
    asked
        What is to be looked at.
    """

    def __init__(self, entry: Entry, row: ManifestRow | None, context: Context, asked: Asked) -> None:
        self.entry, self.row, self.context, self.asked = entry, row, context, asked
        self.record = entry.records[0]
        self.path = Path(context.outputs.local_path, self.record["output"])
        self.findings: list[Finding] = []
        self.by: Counter[str] = Counter()
        self.stamp = 0
        self.again = False

    def say(self, *found: Found) -> None:
        """Note what was found."""
        line = self.row.line if self.row else 0
        self.findings += [
            Finding(kind=kind, path=self.record["output"], where=where, what=what, line=line)
            for kind, where, what in found
        ]

    def into(self, done: Proofs) -> None:
        """Add what became of it to its lot's."""
        done.files += 1
        done.again += self.again
        done.findings += self.findings
        done.by.update(self.by)
        done.at_fault += bool(self.findings)
        if not self.findings:
            done.proved += self._is_compared
            if self.stamp:
                done.stamps[self.record["ordinal"]] = self.stamp

    @property
    def _is_compared(self) -> bool:
        """Whether the file is of the row as it is recorded; a failed row keeps an earlier one."""
        return self.row is not None and self.record["status"] == "converted"

    def go(self) -> None:
        """Look at the file."""
        data = self._read()
        if data is None:
            return
        self.stamp = self._stamp()
        if self.stamp and self.stamp == self.entry.stamp:
            self.again = True
            return
        self._compare_bytes(data)
        file = proof.opened(data, self.context.settings.max_pixels)
        if isinstance(file, Found):
            self.say(file)
        if isinstance(file, Found) or self._is_another(file):
            return
        self.say(*self._standard(data, file))
        if self.asked.dciodvfy:
            self.say(*dciodvfy.errors(self.asked.dciodvfy, self.path))
        if self._is_compared:
            self._compare_row(data, file)

    def _read(self) -> bytes | None:
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):
                self.say(Found(kinds.UNREADABLE, "file", "no regular file"))
                return None
            return self.path.read_bytes()
        except FileNotFoundError:
            self.say(Found(kinds.MISSING, "file", "isn't there"))
        except OSError as error:
            self.say(Found(kinds.UNREADABLE, "file", error.strerror or str(error)))
        return None

    def _stamp(self) -> int:
        """Return 64 bits of all that the outcome depends on, as far as it is known without reading it."""
        outputs, sources = self.context.outputs, self.context.sources
        read = [part.source for part in lines_of(self.row)] if self.row and self.asked.sources else []
        facts = (
            outputs.stat(self.record["output"]),
            sources.stats(read),
            [tuple(record.values()) for record in self.entry.records],
            self.row and (self.row.attributes, self.row.study, self.row.series, self.row.instance, self.entry.same),
            self.asked,
            self.context.release,
        )
        return int.from_bytes(hashlib.blake2b(repr(facts).encode("utf-8", "surrogatepass"), digest_size=7).digest()) + 1

    def _compare_bytes(self, data: bytes) -> None:
        size_bytes, sha256 = self.record["output_size_bytes"], self.record["output_sha256"]
        if len(data) != size_bytes:
            self.say(Found(kinds.CHECKSUM, "file", f"{len(data):,} bytes, {size_bytes:,} were written"))
        elif hashlib.sha256(data).hexdigest() != sha256:
            self.say(Found(kinds.CHECKSUM, "file", "its SHA-256 isn't the one that was recorded"))

    def _is_another(self, file: Opened) -> bool:
        """Say what the file isn't that was recorded of it; return whether it is another object."""
        if self.record["status"] != "converted":
            return False  # an earlier file, of which no more than its bytes is recorded
        syntax = str(file.dataset.file_meta.get("TransferSyntaxUID"))
        found = {keyword: file.text(keyword) for keyword, _ in _RECORDED}
        if found["SOPInstanceUID"] != self.record["sop_instance_uid"]:
            expected = self.record["sop_instance_uid"]
            self.say(
                Found(kinds.UID, "SOPInstanceUID", f"{found['SOPInstanceUID']} in the file, {expected} was written")
            )
            return True
        for keyword, name in (*_RECORDED, ("TransferSyntaxUID", "transfer_syntax_uid")):
            expected, now = str(self.record[name] or ""), found.get(keyword, syntax)
            if now != expected and not (self._is_compared and name.endswith("instance_uid")):
                kind = kinds.UID if name.endswith("instance_uid") else kinds.CONTENT
                self.say(Found(kind, keyword, f"{now or 'nothing'} in the file, {expected or 'nothing'} was written"))
        return False

    def _standard(self, data: bytes, file: Opened) -> Iterator[Found]:
        for where, rule in validation.checked(data, self.context.settings.max_pixels, file.dataset):
            yield Found(kinds.META if where.startswith("MediaStorageSOP") else kinds.STANDARD, where, rule)

    def _compare_row(self, data: bytes, file: Opened) -> None:
        assert self.row  # noqa: S101  # see `_is_compared`
        cells_same, schema_same = self.entry.same
        key_same = _key_of(self.record["settings"]) == _key_of(self.context.basis)
        sources = self._sources() if self.asked.sources else []
        if sources is None:
            return
        settings = recorded(self.record["settings"], self.context.settings)
        case = proof.Case(
            row=self.row,
            sources=sources,
            digests=[record["source_sha256"] for record in self.entry.records],
            settings=settings,
            uid_key=self.context.uid_key,
            again=cells_same and schema_same and key_same and self._same_transcoder(settings),
            by=self.by,
        )
        told = {(finding.kind, finding.where) for finding in self.findings}
        found = [each for each in proof.proved(data, file, case) if each[:2] not in told]
        if not (cells_same and key_same):
            # UIDs follow from cells and key, and what a re-stamped file has from cells: one cause, one message.
            found = [each for each in found if each.kind not in {kinds.UID, kinds.CONTENT}]
            if not key_same:
                found.append(Found(kinds.MANIFEST, "UID key", "converted with another --uid-key-file, or with none"))
            elif not any(each.kind == kinds.VALUE for each in found):
                what = "the row's cells are others than those that it was converted with"
                found.append(Found(kinds.MANIFEST, "row", what))
        if (name := self.row.output or uid_output(self._uids)) != self.record["output"]:
            found.append(Found(kinds.MANIFEST, "output", f"its name would be {name} now"))
        self.say(*found)

    @property
    def _uids(self) -> InstanceUIDs:
        """As recorded."""
        names = ("study_instance_uid", "series_instance_uid", "sop_instance_uid")
        return InstanceUIDs(**{name: self.record[name] for name in names})

    def _same_transcoder(self, settings: Any) -> bool:
        """Whether the library that moves coefficients is the one that the row's bytes come from."""
        try:
            return not (own := images.transcoder(settings)) or self.record["settings"].endswith(own)
        except SettingsError:
            return False

    def _sources(self) -> list[bytes] | None:
        """Return the bytes of the row's sources; None, and say so, if one isn't what was converted."""
        assert self.row  # noqa: S101  # as above
        found = []
        for part, record in zip(lines_of(self.row), self.entry.records, strict=True):
            try:
                source = self.context.sources.read(part.source)
            except ReadError as error:
                self.say(Found(kinds.SOURCE, part.source, str(error)))
                return None
            if source.sha256 != record["source_sha256"]:
                self.say(Found(kinds.SOURCE, part.source, "it holds other bytes than those that were converted"))
                return None
            found.append(source.data)
        return found


def _key_of(basis: str) -> str:
    """Return the digest of the key that UIDs are derived with."""
    return next((part for part in basis.split(";") if part.startswith("uid_key=")), "")


def given_up(path: str, *, late: bool) -> Proofs:
    """Return what becomes of a file that ends every process that looks at it or, with `late`, is over its time."""
    what = "it took longer than --row-timeout" if late else "looking at it ends the process"
    found = Finding(kind=kinds.UNPROVEN, path=path, where="file", what=what)
    return Proofs(findings=[found], files=1, at_fault=1)
