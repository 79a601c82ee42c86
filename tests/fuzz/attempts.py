"""Mutants read as a run reads them, in processes of their own, each with its outcome, time and memory."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import resource
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bulkdcm import images
from bulkdcm.encode import compress, encode_file
from bulkdcm.errors import RowError
from bulkdcm.model import ManifestRow, Source
from bulkdcm.objects import restamp
from bulkdcm.settings import Settings
from tests.fuzz import judges
from tests.fuzz.mutants import mutant
from tests.fuzz.seeds import seeds
from tests.streams import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

MOST_S, MOST_KB, _HARD_BYTES, _HUNG_S = 10.0, 1_000_000, 6_000_000_000, 60
MULTI_FRAME = {True: "SC-COLOR", False: "SC"}
_ROW = ManifestRow(
    ordinal=0, line=2, source="a/image.bin", output="a.dcm", sop_class_uid="DICOM", attributes={"PatientID": "1"}
)


@dataclass(slots=True)
class Attempt:
    """What became of one mutant.

    Attributes
    ----------
    number
        Which it is.
    outcome
        ``accepted``, ``refused``, ``memory``, ``unexpected``, ``died`` or ``hung``.
    words
        The message.
    seconds, grown_kb
        What it took; the memory is how much the process's peak grew.
    refusals
        What the other decoders say against an accepted one.
    """

    number: int
    outcome: str
    words: str = ""
    seconds: float = 0.0
    grown_kb: int = 0
    refusals: list[str] = field(default_factory=list)

    @property
    def both_refuse(self) -> bool:
        """Whether no other decoder takes what we accepted."""
        return bool(self.refusals) and all(self.refusals)


@lru_cache(maxsize=4)
def _seeds(kind: str) -> list[bytes]:
    return seeds(kind)


def attempt(kind: str, number: int, seed: int, streams: str) -> Attempt:
    """Read one mutant, and have an accepted one decoded by others.

    Parameters
    ----------
    kind
        The format.
    number, seed
        Which mutant.
    streams
        As ``--streams``.
    """
    data = mutant(_seeds(kind), number, seed)
    source = Source(path="a/image.bin", data=data, sha256=hashlib.sha256(data).hexdigest(), version=0)
    before, began = _peak_kb(), time.perf_counter()
    made = Attempt(number, "accepted")
    stored = b""
    try:
        stored = _restamped(source) if kind == "dicom" else _read(source, streams, frames=bool(number % 2))
    except RowError as error:
        made.outcome, made.words = "refused", str(error)
    except MemoryError as error:
        made.outcome, made.words = "memory", repr(error)
    except BaseException as error:  # noqa: BLE001  # that is what is looked for
        made.outcome, made.words = "unexpected", f"{type(error).__name__}: {error}"
    made.seconds, made.grown_kb = time.perf_counter() - began, max(0, _peak_kb() - before)
    if made.outcome == "accepted":
        made.refusals = judges.refusals(kind, stored or data)
    return made


def _read(source: Source, streams: str, *, frames: bool) -> bytes:
    """Return the stream that would be passed through, or nothing where pixels were decoded."""
    settings = Settings.of(streams=streams, background="black")
    frame = compress(images.read((source,), settings, CLASSES[MULTI_FRAME[frames]]), settings)
    if frame.pixels is None:
        return frame.streams[0]
    shape = (
        (frame.rows, frame.columns)
        if not frame.number_of_frames
        else (frame.number_of_frames, frame.rows, frame.columns)
    )
    assert frame.pixels.shape[: len(shape)] == shape
    return b""


def _restamped(source: Source) -> bytes:
    dataset = restamp.read_dicom(source, Settings().max_pixels)
    uids: Any = restamp.assign(_ROW, dataset, source.sha256, b"")
    made = restamp.restamp(_ROW, dataset, uids)
    return bytes(encode_file(made, str(made.file_meta.TransferSyntaxUID)))


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def attempts(kind: str, numbers: range, seed: int, streams: str) -> Iterator[Attempt]:
    """Yield what becomes of each mutant; a process that dies or hangs is named, and another goes on.

    Parameters
    ----------
    kind, seed, streams
        As for `attempt`.
    numbers
        Which mutants.
    """
    at = numbers.start
    context = multiprocessing.get_context("fork")
    while at < numbers.stop:
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_work, args=(kind, range(at, numbers.stop), seed, streams, theirs))
        child.start()
        theirs.close()
        try:
            while at < numbers.stop:
                if not ours.poll(_HUNG_S):
                    yield Attempt(at, "hung", seconds=_HUNG_S)
                    break
                made = ours.recv()
                if made is None:
                    break
                yield made
                at = made.number + 1
            else:
                continue
            at += made is not None
        except EOFError:
            child.join()
            yield Attempt(at, "died", words=f"exit {child.exitcode}")
            at += 1
        finally:
            child.kill()
            child.join()
            ours.close()


_FEW = 2_000  # mutants a process: its peak of memory only ever grows


def _work(kind: str, numbers: range, seed: int, streams: str, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_DATA, (_HARD_BYTES, _HARD_BYTES))
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)  # libtiff and OpenCV speak to the terminal
    for number in numbers[:_FEW]:
        made = attempt(kind, number, seed, streams)
        pipe.send(made)
        if made.grown_kb > MOST_KB // 4:
            break  # the next one's growth is to be seen
    pipe.send(None)


def counted(made: list[Attempt]) -> Counter[str]:
    """Return how many mutants had which outcome, and the faults among them."""
    found = Counter(attempt.outcome for attempt in made)
    found["both refuse"] = sum(attempt.both_refuse for attempt in made)
    found["one refuses"] = sum(any(attempt.refusals) for attempt in made) - found["both refuse"]
    found["too slow"] = sum(attempt.seconds > MOST_S for attempt in made)
    found["too large"] = sum(attempt.grown_kb > MOST_KB for attempt in made)
    return found
