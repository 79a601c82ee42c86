"""One run at a time: who holds the lock, who asks for it, and what its holder is known by."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading

import pytest

from bulkdcm import system
from bulkdcm.errors import BusyError
from bulkdcm.ledger import lock
from bulkdcm.ledger.lock import Lock, is_held
from tests.systems import processes


@pytest.fixture
def folder(tmp_path):
    return tmp_path / ".bulkdcm"


def test_a_lock_is_held_until_its_block_ends(folder):
    assert not is_held(folder)
    with Lock(folder):
        assert is_held(folder)
    assert not is_held(folder)


def test_who_holds_it_is_named_to_the_next(folder):
    with Lock(folder), pytest.raises(BusyError, match=f"process {os.getpid()}, since 20"), Lock(folder):
        pass


def test_a_ledger_elsewhere_is_held_too(folder, tmp_path):
    ledger = tmp_path / "data" / "l.sqlite"
    with Lock(folder, ledger), pytest.raises(BusyError, match="with the ledger"), Lock(tmp_path / "other", ledger):
        pass


@processes
def test_whoever_looks_keeps_no_run_out(folder, monkeypatch):
    """It takes the lock for a moment, in which the system may stop it for a while."""
    monkeypatch.setattr(lock, "_LONG_PATIENCE_S", 60)
    with subprocess.Popen([sys.executable, "-c", "pass"]) as ended:
        ended.wait()
    with Lock(folder):
        pass
    signature = folder / "lock.holder"
    text = signature.read_text(encoding="utf-8")
    signature.write_text(text.replace(f'"pid": {os.getpid()}', f'"pid": {ended.pid}'), encoding="utf-8")
    looking = lock._lock(folder / "lock")
    looking.acquire()
    threading.Timer(1.0, looking.release).start()
    with Lock(folder):
        assert is_held(folder)


@pytest.mark.skipif(not system.process_began_s(os.getpid()), reason="the system doesn't tell when a process began")
def test_its_holder_is_known_by_when_its_process_began_since_workers_may_be_older_than_the_lock(folder):
    with Lock(folder):
        facts = json.loads((folder / "lock.holder").read_text(encoding="utf-8").splitlines()[1])
    assert facts["pid"] == os.getpid()
    assert abs(facts["began_s"] - system.process_began_s(os.getpid())) < 1


def test_who_may_only_read_goes_by_what_the_holder_has_written(folder, monkeypatch):
    def refused(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    with Lock(folder):
        monkeypatch.setattr(lock, "_lock", refused)
        assert is_held(folder)
        (folder / "lock.holder").write_text("process 1\n{}\n", encoding="utf-8")
        assert not is_held(folder)
