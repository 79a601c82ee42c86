"""Every engine of the dict, whatever its name: its facts are true, its results all come, and who dies is found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from bulkdcm import engines, system
from bulkdcm.engines import ENGINES, Engine, Job, Recovery, Workers, guard, slots
from bulkdcm.engines.loky import Loky
from bulkdcm.engines.sequential import Sequential
from bulkdcm.errors import SettingsError
from bulkdcm.settings import Settings
from tests.systems import processes

FACTS = ("same_machine", "names_the_row", "stops_a_row", "limits_memory", "needs_address")
HERE = sorted(name for name, engine in ENGINES.items() if not engine.needs_address)  # clusters: tests/faults


class Renamed(Loky):
    """An engine that is in the dict under another name, and known to nobody else."""


class Liar(Sequential):
    """Says that its workers are processes, and has none."""

    names_the_row = True


@pytest.fixture
def other(monkeypatch):
    monkeypatch.setitem(ENGINES, "other", Renamed())


def work(items, deeds):
    done = []
    for item in items:
        guard.begin(item)
        deed = deeds.get(item)
        if deed == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif deed == "hang":
            time.sleep(600)
        elif deed == "memory":
            try:
                bytearray(4_000_000_000)
            except MemoryError:
                done.append((item, "no memory"))
                guard.end()
                continue
        done.append((item, "done"))
        guard.end()
    return done


def give_up(item, *, late):
    return [(item, "late" if late else "died")]


def results(engine: Engine, deeds=None, items=40, **limits):
    job = Job(run=partial(work, deeds=deeds or {}), number=int, give_up=give_up, **limits)
    chunks = (tuple(range(first, min(first + 8, items))) for first in range(0, items, 8))
    recovery = Recovery(job, chunks, engine, Workers(count=2))
    return {item: said for result in recovery for item, said in result}, recovery


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_an_engine_says_every_fact(name):
    assert isinstance(ENGINES[name], Engine)
    assert {type(getattr(ENGINES[name], fact)) for fact in FACTS} == {bool}


@pytest.mark.parametrize("name", HERE)
def test_every_item_has_its_result(name):
    assert results(ENGINES[name])[0] == dict.fromkeys(range(40), "done")


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize("name", [*(name for name in HERE if ENGINES[name].names_the_row), "other"])
def test_who_kills_a_worker_or_is_over_its_time_is_found_and_the_others_go_on(name):
    found, recovery = results(ENGINES[name], {5: "die", 22: "hang"}, timeout_s=2)
    assert found == {**dict.fromkeys(range(40), "done"), 5: "died", 22: "late"}
    assert recovery.died


@processes
@pytest.mark.usefixtures("other")
@pytest.mark.parametrize("name", [*(name for name in HERE if ENGINES[name].limits_memory), "other"])
def test_a_worker_keeps_its_memory_limit(name):
    found, _ = results(ENGINES[name], {5: "memory"}, memory_bytes=500_000_000)
    assert found == {**dict.fromkeys(range(40), "done"), 5: "no memory"}


def process_of(items):
    return [(os.getpid(), "subprocess" in sys.modules) for _ in items]


@processes
@pytest.mark.parametrize("name", HERE)
def test_workers_that_start_early_are_those_that_work_and_end_with_the_block(name):
    engine, workers = ENGINES[name], Workers(count=2, loads="subprocess")
    with engine.started(workers):
        early = set(system.children())
        found = [one for result in engine.run(process_of, iter([(1,), (2,), (3,)]), workers) for one in result]
    assert len(found) == 3
    if engine.names_the_row:
        assert {pid for pid, _ in found} <= early
        assert all(loaded for _, loaded in found)
    assert not any(system.alive(pid) for pid, _ in found if pid != os.getpid())


@pytest.mark.parametrize("name", HERE)
def test_workers_that_have_nothing_to_do_end_all_the_same(name):
    engine = ENGINES[name]
    before = set(system.children())
    with engine.started(Workers(count=2, loads="subprocess")):
        early = set(system.children()) - before
    assert len(early) >= 2 * engine.names_the_row
    assert [pid for pid in early if "loky" in name_of(pid) and "tracker" not in name_of(pid)] == []


def name_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_after_the_end_was_asked_for_nothing_more_begins():
    job = Job(run=partial(work, deeds={}), number=int, give_up=give_up)
    recovery = Recovery(job, ((item,) for item in range(40)), ENGINES["sequential"], Workers(count=1))
    seen = []
    for result in recovery:
        seen += result
        recovery.end()
    assert seen == [(0, "done")]


@pytest.mark.usefixtures("other")
def test_an_engine_is_known_by_being_in_the_dict():
    assert Settings(backend="other", row_timeout=3.0, memory_limit=500).backend == "other"


def test_an_engine_whose_workers_are_no_processes_can_t_say_that_they_are():
    with pytest.raises(RuntimeError, match="a process of its own"):
        results(Liar())


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_a_limit_that_an_engine_can_t_keep_is_refused(name):
    engine = ENGINES[name]
    address = "tcp://host:8786" if engine.needs_address else ""
    for fact, option in (("stops_a_row", "row_timeout"), ("limits_memory", "memory_limit")):
        if getattr(engine, fact):
            Settings(backend=name, scheduler=address, **{option: 100})
        else:
            with pytest.raises(SettingsError, match=f"^{option}="):
                Settings(backend=name, scheduler=address, **{option: 100})
    assert engines.DEFAULT in ENGINES


BUSY = "import sys; from bulkdcm.engines.slots import OwnSlot; slot = OwnSlot(sys.argv[1])\nwhile True: slot.begin(1); slot.end(); slot.begin(2)"


def test_no_look_at_a_worker_finds_an_item_that_began_before_it(tmp_path):
    """The system may stop a worker wherever it is: whoever seems to be at an item for too long is killed."""
    looks = []
    with subprocess.Popen([sys.executable, "-c", BUSY, str(tmp_path)]) as worker:
        began_s = time.monotonic()
        while not slots.under_way(str(tmp_path)):
            assert worker.poll() is None
        for _ in range(20_000):
            looks += slots.under_way(str(tmp_path))
        worker.kill()
    assert looks
    assert {slot.number for slot in looks} == {1, 2}
    assert min(slot.began_s for slot in looks) >= began_s


def test_a_look_at_the_slots_of_a_run_that_ends_meanwhile_finds_nothing(tmp_path):
    """A signal may end the run while its watch is looking."""
    assert slots.under_way(str(tmp_path / "removed")) == []
