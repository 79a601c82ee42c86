"""What every store holds to: a new one gets a line in `STORES`, and passes the same tests."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bulkdcm.errors import ReadError, StorageError, StoreError
from bulkdcm.stores import Local, Null, Place, Recognise, Stat, folder
from bulkdcm.stores.putting import temporary_name
from bulkdcm.stores.removal import is_temporary
from bulkdcm.stores.with_archives import WithArchives
from tests.systems import open_folders

if TYPE_CHECKING:
    from bulkdcm.stores import Store

STORES = {"local": Local, "null": Null, "recognise": Recognise, "packed": WithArchives}
DATA = [b"one", memoryview(b" and "), b"two"]
WHOLE = b"one and two"
SHA256 = hashlib.sha256(WHOLE).hexdigest()


def lay(store: Store, name: str, data: bytes = WHOLE) -> int:
    """Put a file into the store's place by other means; return its version."""
    path = Path(store.local_path, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path.stat().st_mtime_ns


def content(store: Store) -> dict[str, bytes]:
    return {name: Path(store.local_path, name).read_bytes() for name in store.names()}


def made(name: str, folder: Path) -> Store:
    store = STORES[name](root=str(folder / "store"))
    store.prepare()
    return store


@pytest.fixture(params=STORES, ids=str)
def store(request, tmp_path) -> Store:
    return made(request.param, tmp_path)


@pytest.fixture(
    params=[
        (name, known) for name, store in STORES.items() if store.writes for known in {folder._BY_DESCRIPTOR, False}
    ],
    ids=lambda param: f"{param[0]}{'' if param[1] else ', looked up from the top'}",
)
def writing(request, tmp_path, monkeypatch) -> Store:
    """Return a store that writes; also as on a system that knows no names below an open folder."""
    name, by_descriptor = request.param
    monkeypatch.setattr(folder, "_BY_DESCRIPTOR", by_descriptor)
    return made(name, tmp_path)


@pytest.fixture(params=[name for name, store in STORES.items() if not store.writes], ids=str)
def reading(request, tmp_path) -> Store:
    return made(request.param, tmp_path)


def test_a_store_goes_to_workers_as_it_is(store):
    assert pickle.loads(pickle.dumps(store)) == store


def test_what_is_put_is_known_by_its_size_and_digest(store):
    if store.recognises:
        lay(store, "a/b.dcm")
    stored = store.put(Place("a/b.dcm"), DATA)
    assert (stored.name, stored.size_bytes, stored.sha256, stored.staged) == ("a/b.dcm", len(WHOLE), SHA256, "")


def test_a_store_that_does_not_write_leaves_nothing_and_changes_nothing(reading):
    store = reading
    version = lay(store, "a.dcm", b"somebody's")
    before = content(store)
    for place in (Place("a.dcm"), Place("a.dcm", replaces=version), Place("b.dcm"), Place("a.dcm", staged=True)):
        if store.recognises:
            with pytest.raises(StoreError, match="`bulkdcm convert` will make it"):
                store.put(place, DATA)
        else:
            store.put(place, DATA)
    assert content(store) == before


def test_what_is_put_is_read_and_has_the_version_it_was_given(writing):
    stored = writing.put(Place("a/b.dcm"), DATA)
    assert writing.stat("a/b.dcm") == Stat(len(WHOLE), stored.version)
    source = writing.read("a/b.dcm")
    assert (source.data, source.sha256, source.version) == (WHOLE, SHA256, stored.version)
    with writing.open("a/b.dcm") as file:
        assert file.read() == WHOLE
    assert list(writing.names()) == ["a/b.dcm"]
    writing.sync(["a/b.dcm"])


@pytest.mark.parametrize("replaces", [None, 0, "another"])
def test_what_is_not_the_version_that_may_go_stays(replaces, writing):
    lay(writing, "a.dcm", b"somebody's")
    stored = writing.put(Place("a.dcm", replaces=replaces), DATA)
    assert stored.staged
    assert content(writing) == {"a.dcm": b"somebody's", stored.staged: WHOLE}


def test_the_version_that_may_go_is_replaced(writing):
    version = lay(writing, "a.dcm", b"our own")
    assert not writing.put(Place("a.dcm", replaces=version), DATA).staged
    assert content(writing) == {"a.dcm": WHOLE}


def test_a_file_that_has_changed_since_it_was_looked_at_stays(writing):
    version = lay(writing, "a.dcm", b"our own")
    os.utime(Path(writing.local_path, "a.dcm"), ns=(version + 1, version + 1))
    assert writing.put(Place("a.dcm", replaces=version), DATA).staged


def test_a_file_that_is_gone_since_is_no_fault(writing):
    assert not writing.put(Place("a.dcm", replaces=7), DATA).staged
    assert content(writing) == {"a.dcm": WHOLE}


def test_the_same_bytes_are_taken_for_the_output(store):
    if not (store.writes or store.recognises):
        return  # it looks at nothing
    version = lay(store, "a.dcm")
    stored = store.put(Place("a.dcm"), DATA)
    assert (stored.version, stored.staged) == (version, "")
    assert content(store) == {"a.dcm": WHOLE}


def test_staged_files_of_two_rows_get_their_name_one_after_the_other(writing):
    first = writing.put(Place("a/b.dcm", staged=True, owner=1), DATA)
    second = writing.put(Place("a/b.dcm", staged=True, owner=2), [b"other"])
    assert first.staged != second.staged
    assert content(writing) == {first.staged: WHOLE, second.staged: b"other"}
    writing.drop(second.staged)
    writing.drop(second.staged)
    writing.settle(first.staged, "a/b.dcm")
    writing.settle(first.staged, "a/b.dcm")
    assert content(writing) == {"a/b.dcm": WHOLE}


def test_only_what_is_still_as_it_was_written_is_removed(writing):
    stored = [writing.put(Place(f"{name}.dcm"), DATA) for name in ("a/a", "b", "c", "d")]
    Path(writing.local_path, "b.dcm").write_bytes(b"changed")
    os.utime(Path(writing.local_path, "c.dcm"), ns=(5, 5))  # copied: another version, and the same bytes
    Path(writing.local_path, "d.dcm").unlink()
    removal = writing.remove((each.name, each.size_bytes, each.version, each.sha256) for each in stored)
    assert (removal.gone, removal.foreign, removal.failed) == (["a/a.dcm", "c.dcm", "d.dcm"], ["b.dcm"], {})
    assert content(writing) == {"b.dcm": b"changed"}
    assert not Path(writing.local_path, "a").exists()


def test_what_a_killed_run_left_goes_and_nothing_else(writing):
    staged = [writing.put(Place(f"{name}.dcm", staged=True), DATA).staged for name in "ab"]
    for name in (".12-34-0123abcd.bulkdcm-tmp", ".report.csv-17.bulkdcm-tmp", "notes.bulkdcm-tmp", ".other.tmp"):
        lay(writing, f"x/{name}")
    assert writing.clear(keep={staged[0]}) == 3
    assert content(writing).keys() == {staged[0], "x/notes.bulkdcm-tmp", "x/.other.tmp"}


def test_a_file_written_bit_by_bit_is_there_as_a_whole_or_not_at_all(store):
    lay(store, "report.csv", b"the last one")
    with contextlib.suppress(ZeroDivisionError), store.writing("report.csv") as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert content(store) == {"report.csv": b"the last one"}
    with store.writing("report.csv") as file:
        file.write(WHOLE)
    assert content(store) == {"report.csv": WHOLE}


@pytest.mark.parametrize("name", ["missing.png", "folder", "empty.png", "link.png", "folder/../../outside.png"])
def test_what_can_not_be_read_is_a_fault_of_the_row(name, store, tmp_path):
    lay(store, "folder/a.png")
    lay(store, "empty.png", b"")
    (tmp_path / "outside.png").write_bytes(WHOLE)
    Path(store.local_path, "link.png").symlink_to(tmp_path / "outside.png")
    with pytest.raises(ReadError, match=name):
        store.read(name)


def test_nothing_is_put_through_a_link_that_leads_outside(writing, tmp_path):
    (tmp_path / "outside").mkdir()
    Path(writing.local_path, "link").symlink_to(tmp_path / "outside")
    with pytest.raises(StoreError, match="leads outside"):
        writing.put(Place("link/a.dcm"), DATA)
    assert not list((tmp_path / "outside").iterdir())


def test_another_store_in_the_place_of_the_held_one_is_noticed(store):
    with store.held() as held:
        held.check()
        Path(held.local_path).rename(Path(held.local_path).with_name("moved"))
        Path(held.local_path).mkdir()
        held.elsewhere().check()  # which knows nothing of this machine's numbers
        with pytest.raises(StorageError, match="removed, moved or replaced"):
            held.check()


def test_facts_agree_with_each_other(store):
    assert store.writes or not store.needs_sync
    assert not (store.writes and store.recognises)
    assert store.stat("none") is None


def test_a_temporary_name_is_known_again():
    assert is_temporary(f"a/{temporary_name()}")
    assert not is_temporary("a/b.dcm")


def test_folders_are_held_for_many_files_and_seen_to_be_where_they_were(writing):
    names = [f"{number}/a.dcm" for number in range(70)]  # more than are held open at once
    with writing.at_hand() as store:
        for name in [*names, *names]:
            store.put(Place(name, owner=1), DATA)
    assert sorted(writing.names()) == sorted(names)


@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_a_folder_that_goes_while_files_are_put_into_it_is_noticed(what, tmp_path):
    writing = made("local", tmp_path)
    place = Path(writing.local_path, "a")
    with pytest.raises(StorageError, match="removed, moved or replaced"), writing.at_hand() as store:  # noqa: PT012  # what is raised is raised as the block ends
        store.put(Place("a/b.dcm"), DATA)
        place.rename(tmp_path / "moved")
        if what == "replaced":
            place.mkdir()
        store.put(Place("a/c.dcm"), DATA)
    kept = {"b.dcm", "c.dcm"} if folder._BY_DESCRIPTOR else {"b.dcm"}
    assert {path.name for path in (tmp_path / "moved").iterdir()} == kept


@pytest.mark.parametrize("count", [1024, 1025, 5000])
def test_a_file_of_more_pieces_than_a_system_takes_at_once(count, tmp_path):
    data = [number.to_bytes(4, "big") for number in range(count)]
    stored = made("local", tmp_path).put(Place("a.dcm"), data)
    assert Path(tmp_path, "store", "a.dcm").read_bytes() == b"".join(data)
    assert stored.size_bytes == 4 * count


def test_a_store_that_goes_while_files_are_put_into_it_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "_BY_DESCRIPTOR", False)  # by its name alone it can be taken for another
    writing = made("local", tmp_path)
    with pytest.raises(StorageError, match="removed, moved or replaced"), writing.at_hand() as store:  # noqa: PT012  # as above
        store.put(Place("b.dcm"), DATA)
        Path(writing.local_path).rename(tmp_path / "moved")
        Path(writing.local_path).mkdir()
        store.put(Place("c.dcm"), DATA)


@open_folders
def test_a_folder_that_was_removed_is_made_again(tmp_path):
    writing = made("local", tmp_path)
    with writing.at_hand() as store:
        store.put(Place("a/b.dcm"), DATA)
        Path(writing.local_path, "a/b.dcm").unlink()
        Path(writing.local_path, "a").rmdir()
        store.put(Place("a/c.dcm"), DATA)
    assert list(writing.names()) == ["a/c.dcm"]
