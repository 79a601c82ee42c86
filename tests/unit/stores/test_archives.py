"""What names mean, what is in archives of each format, and what hostile ones end with."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import random
import stat
import struct
import sys
import tarfile
import tracemalloc
import zipfile
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from bulkdcm.errors import ReadError, StorageError
from bulkdcm.stores import archives, catalogue, formats, index, members, reading, spool, tars, zips
from bulkdcm.stores.catalogue import Catalogue
from bulkdcm.stores.with_archives import WithArchives


def noise(size: int, seed: int = 0) -> bytes:
    """Return bytes that can't be packed, the same ones every time."""
    return random.Random(seed).randbytes(size)


FILES = {"a/b.png": b"first " * 50, "a/c.png": noise(3000), "d.png": b"x", "é/ü.png": b"letters"}
TARS = {".tar": lambda data: data, ".tar.gz": gzip.compress, ".tgz": gzip.compress, ".tar.zst": zstandard.compress}
ALL = [".zip", *TARS]


def zipped(files=FILES, method=zipfile.ZIP_DEFLATED, **options) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method, **options) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, method)
    return buffer.getvalue()


def tarred(files=FILES, *infos: tarfile.TarInfo, form=tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_600_000_000
            archive.addfile(info, io.BytesIO(data))
        for info in infos:
            archive.addfile(info)
    return buffer.getvalue()


def made(ending: str, files=FILES) -> bytes:
    return zipped(files) if ending == ".zip" else TARS[ending](tarred(files))


@contextmanager
def opened(root: Path, name: str, data: bytes | None = None):
    """Give the store of a folder with an archive, listed and unpacked, and what is known of the archive."""
    if data is not None:
        (root / name).write_bytes(data)
    with Catalogue(str(root)) as known:
        listed = known.look(name)
        if formats.is_ordered(name):
            known.unpack(name)
        yield WithArchives(root=str(root), option="--images", home=known.home), listed


def faults(root: Path, name: str, data: bytes) -> tuple[str, str, dict[str, str]]:
    """Return what is said of an archive, of its rest, and of its members."""
    (root / name).write_bytes(data)
    with Catalogue(str(root)) as known:
        listed = known.look(name)
        return listed.fault, listed.ends, {key: fault for key, fault in known.index.names(listed.number) if fault}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x.zip!a/b.png", ("x.zip", "a/b.png")),
        ("s/x.tar.gz!a.png", ("s/x.tar.gz", "a.png")),
        ("X.TGZ!a", ("X.TGZ", "a")),
        ("x.tar.zst!a!b.png", ("x.tar.zst", "a!b.png")),
        ("x.zip!y.zip!a.png", ("x.zip", "y.zip!a.png")),
        ("t.parquet!image/17", ("t.parquet", "image/17")),
        ("wow!a.png", None),
        ("x.zip", None),
        ("x.zip!", None),
        ("x.rar!a.png", None),
        ("xzip!a.png", None),
    ],
)
def test_a_mark_after_an_archives_ending_divides_a_name(name, expected):
    assert archives.split(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x.zip!a/b.png", "a/b.png"),
        ("s/x.tar.gz!./a/b.png", "s/a/b.png"),
        ("s/t-0.parquet!image/17", "s/t-0/image/17"),
        ("x.zip!../a.png", "../a.png"),
        ("s/x.zip!a/../../b.png", "../b.png"),
        ("s/x.zip!/a.png", "/a.png"),
    ],
)
def test_where_a_member_would_lie(name, expected):
    assert archives.unpacked(name) == expected


def test_no_step_of_a_member_leads_into_the_archives_path():
    assert archives.normal("s/./x.zip!a/../../b.png") == "s/x.zip!../b.png"


@pytest.mark.parametrize("ending", ALL)
def test_members_are_read_as_they_were_put(ending, tmp_path):
    with opened(tmp_path, f"x{ending}", made(ending)) as (store, listed):
        assert (listed.fault, listed.ends) == ("", "")
        for name, data in FILES.items():
            source = store.read(f"x{ending}!{name}")
            assert (source.data, source.path) == (data, f"x{ending}!{name}")
            assert store.stat(f"x{ending}!{name}") == (len(data), source.version)
            with store.open(f"x{ending}!{name}") as file:
                assert file.read() == data
        assert store.stat(f"x{ending}!none.png") is None
        assert pickle.loads(pickle.dumps(store)).read(f"x{ending}!d.png").data == b"x"


@pytest.mark.parametrize("ending", ALL)
def test_what_is_not_in_an_archive_is_a_fault_of_the_row(ending, tmp_path):
    files = {**FILES, "empty.png": b""}
    with opened(tmp_path, f"x{ending}", made(ending, files)) as (store, _):
        with pytest.raises(ReadError, match="no such member"):
            store.read(f"x{ending}!none.png")
        with pytest.raises(ReadError, match="empty"):
            store.read(f"x{ending}!empty.png")
        with pytest.raises(OSError, match="no such member"):
            store.open(f"x{ending}!none.png")


def test_names_are_the_same_in_each_unicode_form_and_with_steps(tmp_path):
    with opened(tmp_path, "x.tar", tarred({"./e\u0301/a.png": b"one"})) as (store, _):
        assert store.read("x.tar!\u00e9/a.png").data == store.read("x.tar!e\u0301/./a.png").data == b"one"


def test_a_file_of_that_very_name_is_what_is_meant(tmp_path):
    (tmp_path / "x.zip!a.png").write_bytes(b"a file")
    names = archives.files(["./x.zip!a.png", "x.zip!b.png", "c.png"], str(tmp_path))
    assert names == {"x.zip!a.png"}
    with opened(tmp_path, "x.zip", zipped({"a.png": b"a member", "b.png": b"another"})) as (store, _):
        known = WithArchives(root=store.root, home=store.home, files=names)
        assert [known.read(name).data for name in ("x.zip!a.png", "x.zip!b.png")] == [b"a file", b"another"]
        assert known.version_is_its_own("x.zip!a.png")
        assert not known.version_is_its_own("x.zip!b.png")


def test_an_archive_that_changes_during_the_run_is_not_read_by_its_old_list(tmp_path):
    with opened(tmp_path, "x.tar", tarred({"a.png": b"one"})) as (store, _):
        (tmp_path / "x.tar").write_bytes(tarred({"b.png": b"two", "a.png": b"three"}))
        os.utime(tmp_path / "x.tar", ns=(5, 5))
        with pytest.raises(ReadError, match="changed during the run"):
            store.read("x.tar!a.png")
        assert store.stat("x.tar!a.png") is None


def test_a_list_is_kept_and_made_anew_only_if_the_archive_is_another(tmp_path, monkeypatch):
    (tmp_path / "x.zip").write_bytes(zipped())
    kept = tmp_path / "kept"
    with Catalogue(str(tmp_path), earlier=str(kept)) as known:
        known.look("x.zip")
        temporary = Path(known.home)
        assert known.settle() == str(kept)
        assert not temporary.exists()
    calls = []
    monkeypatch.setattr(zips, "members", lambda *given: calls.append(given) or iter(()))
    with Catalogue(str(tmp_path), earlier=str(kept)) as known:
        assert known.look("x.zip").number
        assert not calls
        os.utime(tmp_path / "x.zip", ns=(7, 7))
        known.look("x.zip")
        assert len(calls) == 1
    assert [path.name for path in kept.iterdir()] == ["index.sqlite"]


def test_a_damaged_list_is_made_anew_before_and_said_during_a_run(tmp_path):
    (tmp_path / "x.tar").write_bytes(tarred({"a.png": b"one", "b.png": b"two"}))
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "index.sqlite").write_bytes(b"nonsense" * 200)
    with Catalogue(str(tmp_path), earlier=str(kept)) as known:
        assert not known.look("x.tar").fault
        known.index._connection.execute("UPDATE member SET offset = offset + 1024 WHERE name = CAST('a.png' AS BLOB)")
        known.index._connection.commit()
        store = WithArchives(root=str(tmp_path), home=known.home)
        assert store.read("x.tar!b.png").data == b"two"
        with pytest.raises(ReadError, match="Remove"):
            store.read("x.tar!a.png")


def test_what_can_only_be_read_in_order_is_read_once_and_only_what_is_asked_for_kept(tmp_path, monkeypatch):
    (tmp_path / "x.tar.gz").write_bytes(made(".tar.gz"))
    reads = []
    of_stream = tars.members
    monkeypatch.setattr(tars, "members", lambda *given: reads.append(given) or of_stream(*given))
    with Catalogue(str(tmp_path)) as known:
        assert known.look("x.tar.gz", through=False) is None
        assert not reads
        known.ready(["x.tar.gz!a/c.png", "x.tar.gz!none.png", "plain.png"])
        known.ready(["x.tar.gz!a/c.png", "x.tar.gz!none.png"])
        assert len(reads) == 1
        assert Path(known.home, spool.FOLDER, "1.data").read_bytes() == FILES["a/c.png"]
        store = WithArchives(root=str(tmp_path), home=known.home)
        assert store.stat("x.tar.gz!d.png").size_bytes == 1
        assert store.read("x.tar.gz!d.png").data == b"x"  # this process unpacks the rest if it is asked
        assert len(reads) == 2
        home = known.home
    assert not Path(home).exists()
    with pytest.raises(ReadError, match="changed during the run"):
        store.read("x.tar.gz!d.png")


def test_a_full_disk_is_said_before_it_is_full(tmp_path, monkeypatch):
    (tmp_path / "x.tar.gz").write_bytes(made(".tar.gz"))
    monkeypatch.setattr(spool, "_ROOM_BYTES", 2**63)
    with Catalogue(str(tmp_path)) as known, pytest.raises(StorageError, match="too few to unpack"):
        known.unpack("x.tar.gz")


def test_what_a_killed_run_has_unpacked_goes(tmp_path):
    left = tmp_path / "kept" / spool.FOLDER
    left.mkdir(parents=True)
    (left / "1.data").write_bytes(b"x" * 100)
    (tmp_path / "x.zip").write_bytes(zipped())
    with Catalogue(str(tmp_path), earlier=str(tmp_path / "kept")) as known:
        known.look("x.zip")
        known.settle()
        assert not left.exists()


# ZIP


@pytest.mark.parametrize(
    "data",
    [
        zipped(method=zipfile.ZIP_STORED),
        b"#!/bin/sh\n" + zipped(),  # as self-extracting ones begin; the offsets are off
        zipped()[:-2] + b"\5\0hello",
    ],
    ids=["stored", "after another file", "comment"],
)
def test_zips_of_all_kinds_are_read(data, tmp_path):
    with opened(tmp_path, "x.zip", data) as (store, _):
        assert {name: store.read(f"x.zip!{name}").data for name in FILES} == FILES


def test_a_zip64_written_as_a_stream_is_read(tmp_path):
    class Stream(io.RawIOBase):
        def __init__(self):
            self.data = b""

        def writable(self):
            return True

        def write(self, data):
            self.data += bytes(data)
            return len(data)

    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)
    with opened(tmp_path, "x.zip", stream.data) as (store, _):
        assert {name: store.read(f"x.zip!{name}").data for name in FILES} == FILES


def test_a_zip_of_more_members_than_16_bits_count_is_read(tmp_path):
    names = [f"{number:05}" for number in range(65_540)]
    with opened(tmp_path, "x.zip", zipped(dict.fromkeys(names, b"x"), zipfile.ZIP_STORED)) as (store, listed):
        assert (listed.fault, listed.ends) == ("", "")
        assert store.read("x.zip!65539").data == b"x"


def test_zip64_sizes_and_offsets_are_read_from_the_entry():
    entry = zips._ENTRY.pack(
        b"PK\1\2", 20, 3, 20, 0, 0x800, 0, 0, 0, 7, 0xFFFFFFFF, 0xFFFFFFFF, 1, 28, 0, 0, 0, 0o100644 << 16, 0xFFFFFFFF
    )
    extra = struct.pack("<2H3Q", 1, 24, 5_000_000_000, 5_000_000_000, 6_000_000_000)
    member = zips._member(entry + b"a" + extra, zips._Directory(0, 0, 1, 9))
    assert (member.size, member.packed, member.offset) == (5_000_000_000, 5_000_000_000, 6_000_000_009)
    assert "more than a DICOM object" in member.fault


def test_a_zips_members_have_their_own_versions(tmp_path):
    with opened(tmp_path, "x.zip", zipped()) as (store, _):
        before = {name: store.stat(f"x.zip!{name}") for name in FILES}
    with opened(tmp_path, "x.zip", zipped({**FILES, "d.png": b"y", "e.png": b"new"})) as (store, _):
        after = {name: store.stat(f"x.zip!{name}") for name in FILES}
    assert [name for name in FILES if before[name] != after[name]] == ["d.png"]


def special(mode: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("s.png")
        info.create_system, info.external_attr = 3, mode << 16
        archive.writestr(info, b"target")
        archive.writestr("good.png", b"good")
    return buffer.getvalue()


def patched(data: bytes, place: int, value: int, name: bytes = b"d.png") -> bytes:
    """Return a ZIP whose list says another thing of one member."""
    at = data.rindex(name) - 46 + place
    return data[:at] + value.to_bytes(2, "little") + data[at + 2 :]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (special(stat.S_IFLNK | 0o777), "link"),
        (special(stat.S_IFIFO | 0o600), "device"),
        (patched(zipped(), 8, 0x801), "encrypted"),
        (patched(zipped(), 10, 12), "method 12"),
        (zipped({**FILES, "/abs.png": b"x"}), "absolute"),
        (zipped({**FILES, "C:\\abs.png": b"x"}), "absolute"),
        (zipped({**FILES, "a/../../up.png": b"x"}), "leads out"),
    ],
    ids=["link", "pipe", "encrypted", "method", "absolute", "drive", "upwards"],
)
def test_one_member_at_fault_is_refused_alone(data, fault, tmp_path):
    whole, ends, found = faults(tmp_path, "x.zip", data)
    assert (whole, ends, len(found)) == ("", "", 1)
    (name, said), *_ = found.items()
    assert fault in said
    with opened(tmp_path, "x.zip") as (store, _), pytest.raises(ReadError, match=fault):
        store.read(f"x.zip!{name}")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_two_members_have_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for seed, name in enumerate(("a.png", "./a.png", "b.png", "b.png", "c.png")):
            archive.writestr(name, noise(9, seed))
    _, _, found = faults(tmp_path, "x.zip", buffer.getvalue())
    assert found.keys() == {"a.png", "b.png"}
    assert all("several members" in fault for fault in found.values())


def test_bytes_that_are_not_what_the_list_says_fail_their_row_alone(tmp_path):
    data = bytearray(zipped(method=zipfile.ZIP_STORED))
    data[data.index(FILES["a/c.png"]) + 7] ^= 1
    with opened(tmp_path, "x.zip", bytes(data)) as (store, _):
        assert store.read("x.zip!d.png").data == b"x"
        with pytest.raises(ReadError, match="CRC-32"):
            store.read("x.zip!a/c.png")


@contextmanager
def no_more_memory_than(most: int):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def test_a_size_that_is_too_small_ends_the_unpacking(tmp_path):
    data = zipped({"d.png": bytes(20_000_000)})
    at = data.rindex(b"d.png") - 46 + 24
    data = data[:at] + (100).to_bytes(4, "little") + data[at + 4 :]
    with opened(tmp_path, "x.zip", data) as (store, _), no_more_memory_than(2_000_000):  # noqa: SIM117  # what is raised within
        with pytest.raises(ReadError, match="damaged"):
            store.read("x.zip!d.png")


def test_members_that_share_their_bytes_are_refused(tmp_path):
    data = bytearray(zipped({"a.png": noise(500, 1), "b.png": noise(500, 2)}, zipfile.ZIP_STORED))
    entry = data.rindex(b"b.png") - 46
    data[entry + 42 : entry + 46] = (20).to_bytes(4, "little")
    _, _, found = faults(tmp_path, "x.zip", bytes(data))
    assert "shares its bytes" in found["a.png"]


def test_what_is_packed_too_tightly_is_refused_and_a_small_image_of_one_colour_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "_SMALL_BYTES", 1_000_000)
    _, _, found = faults(tmp_path, "x.zip", zipped({"small.png": bytes(900_000), "bomb.png": bytes(2_000_000)}))
    assert found.keys() == {"bomb.png"}
    assert "bomb" in found["bomb.png"]


@pytest.mark.parametrize("cut", [1, 21, 40, 100, 300, 10_000])
def test_a_zip_cut_off_has_one_fault(cut, tmp_path):
    whole, _, found = faults(tmp_path, "x.zip", zipped()[:-cut])
    assert whole
    assert not found
    with opened(tmp_path, "x.zip") as (store, _), pytest.raises(ReadError, match="Fetch it again"):
        store.read("x.zip!d.png")


@pytest.mark.parametrize("ending", [*ALL, ".parquet"])
@pytest.mark.parametrize(
    "data", [b"", b"<html>404</html>", b"PK", bytes(100) + b"\1"], ids=["empty", "page", "PK", "zeros"]
)
def test_what_is_no_archive_is_said(ending, data, tmp_path):
    whole, _, found = faults(tmp_path, f"x{ending}", data)
    assert whole
    assert not found


def test_every_byte_of_a_small_zip_changed_gives_its_bytes_or_an_error(tmp_path):
    data, rng = zipped({"a.png": b"first " * 5, "b.png": b"second"}), np.random.default_rng(4)
    good = {b"first " * 5, b"second"}
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= int(rng.integers(1, 256))
        with opened(tmp_path, "x.zip", bytes(changed)) as (store, _):
            for name in ("a.png", "b.png"):
                try:
                    assert store.read(f"x.zip!{name}").data in good
                except ReadError:
                    continue


# TAR


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tars_of_all_kinds_and_with_long_names_are_read(form, tmp_path):
    files = {**FILES, f"{'long/' * 25}a.png": b"deep"}
    if form != tarfile.USTAR_FORMAT:
        files |= {f"{'long/' * 60}a.png": b"deeper"}
    with opened(tmp_path, "x.tar", tarred(files, form=form)) as (store, _):
        assert {name: store.read(f"x.tar!{name}").data for name in files} == files


def info(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, target
    return found


@pytest.mark.parametrize("ending", TARS)
def test_what_is_no_file_in_a_tar_is_refused_alone(ending, tmp_path):
    data = tarred(
        {**FILES, "/abs.png": b"x", "../up.png": b"x"},
        info("sym.png", tarfile.SYMTYPE, "/etc/passwd"),
        info("hard.png", tarfile.LNKTYPE, "d.png"),
        info("dev.png", tarfile.CHRTYPE),
        info("pipe.png", tarfile.FIFOTYPE),
        info("d.png", tarfile.REGTYPE),
        info("folder", tarfile.DIRTYPE),
    )
    whole, ends, found = faults(tmp_path, f"x{ending}", TARS[ending](data))
    assert (whole, ends) == ("", "")
    kinds = dict(found.items())
    assert kinds.keys() == {"/abs.png", "../up.png", "sym.png", "hard.png", "dev.png", "pipe.png", "d.png"}
    assert kinds["sym.png"] == kinds["hard.png"] == "it is a link"
    assert "several members" in kinds["d.png"]


def test_a_tar_damaged_in_the_middle_gives_what_comes_before(tmp_path):
    data = bytearray(tarred({"a.png": b"one", "b.png": b"two", "c.png": b"three"}))
    second = data.index(b"b.png")
    data[second + 148 : second + 156] = b"garbage!"
    with opened(tmp_path, "x.tar", bytes(data)) as (store, listed):
        assert not listed.fault
        assert "damaged at byte" in listed.ends
        assert store.read("x.tar!a.png").data == b"one"
        with pytest.raises(ReadError, match="rest of it isn't known: it is damaged at byte"):
            store.read("x.tar!c.png")


@pytest.mark.parametrize("ending", TARS)
@pytest.mark.parametrize("left", [0.2, 0.5, 0.7, 0.97])
def test_a_tar_cut_off_gives_no_wrong_bytes(ending, left, tmp_path):
    files = {f"{number}.png": noise(1500, number) for number in range(9)}
    data = made(ending, files)
    with opened(tmp_path, f"x{ending}", data[: int(len(data) * left)]) as (store, listed):
        for name, whole in files.items():
            try:
                assert store.read(f"x{ending}!{name}").data == whole
            except ReadError as error:
                assert "damaged" in str(error) or "no such member" in str(error) or "ends in" in str(error)  # noqa: PT017  # cut at some places, it is whole
        assert listed.fault or listed.ends or ending in {".tar", ".tar.zst"}


def test_python_unpacks_zstandard_by_itself_if_the_package_is_not_there(tmp_path, monkeypatch):
    """It does so from 3.14 on; what is here of it is the same code for earlier Pythons."""
    own = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression", ModuleType("compression"))
    monkeypatch.setitem(sys.modules, "compression.zstd", own)
    files = {"a.png": noise(5000, 1), "b.png": noise(5000, 2)}
    whole = zstandard.ZstdCompressor(write_checksum=True).compress(tarred(files))
    in_frames = b"".join(zstandard.compress(tarred(files)[at : at + 4096]) for at in range(0, len(tarred(files)), 4096))
    for number, data in enumerate((whole, in_frames)):
        with opened(tmp_path, f"x{number}.tar.zst", data) as (store, listed):
            assert not listed.fault
            assert {name: store.read(f"x{number}.tar.zst!{name}").data for name in files} == files
    changed = bytearray(whole)
    changed[changed.index(files["b.png"][:50]) + 10] ^= 1
    for name, data in (("changed", bytes(changed)), ("cut", whole[:-9]), ("other", b"no archive at all")):
        with opened(tmp_path, f"{name}.tar.zst", data) as (_, listed):
            assert "damaged" in listed.fault, name


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.zst"])
def test_a_stream_with_a_wrong_checksum_is_used_for_nothing(ending, tmp_path):
    files = {"a.png": noise(5000, 1), "b.png": noise(5000, 2)}
    plain = tarred(files)
    options = {"compresslevel": 0} if ending == ".tar.gz" else {}
    if ending == ".tar.gz":
        data = bytearray(gzip.compress(plain, **options))
    else:
        data = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(plain))
    data[data.index(files["b.png"][:50]) + 10] ^= 1  # of what can't be packed
    with opened(tmp_path, f"x{ending}", bytes(data)) as (store, listed):
        assert "damaged" in listed.fault
        for name in files:
            with pytest.raises(ReadError, match="damaged"):
                store.read(f"x{ending}!{name}")


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.zst"])
def test_a_stream_that_unpacks_to_far_more_is_left_early(ending, tmp_path, monkeypatch):
    monkeypatch.setattr(members, "_SMALL_BYTES", 2**21)
    taken = []
    take = tars.Forward.take
    monkeypatch.setattr(tars.Forward, "take", lambda self, size: taken.append(size) or take(self, size))
    whole, _, _ = faults(tmp_path, f"x{ending}", TARS[ending](tarred({"bomb.png": bytes(2**25)})))
    assert "decompression bomb" in whole
    assert sum(taken) < 2**23


@pytest.mark.parametrize("ending", TARS)
def test_a_tar_with_a_huge_header_is_damaged_and_not_read(ending, tmp_path):
    header = info("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    header.size = 2**33
    data = TARS[ending](header.tobuf(tarfile.GNU_FORMAT) + bytes(50_000_000))
    with no_more_memory_than(20_000_000):
        whole, _, _ = faults(tmp_path, f"x{ending}", data)
    assert "damaged" in whole


def test_headers_before_headers_end(tmp_path):
    header = info("x", tarfile.XHDTYPE)
    header.size = 0
    whole, _, _ = faults(tmp_path, "x.tar", header.tobuf(tarfile.PAX_FORMAT) * 20_000)
    assert "damaged" in whole


@pytest.mark.parametrize("ending", ALL)
def test_too_many_members_are_refused(ending, tmp_path, monkeypatch):
    for module in (zips, tars):
        monkeypatch.setattr(module, "MOST_MEMBERS", 3)
    whole, ends, _ = faults(tmp_path, f"x{ending}", made(ending))
    assert "members" in whole + ends


# Parquet


def table(cells: list[bytes | None], kind: str = "struct") -> bytes:
    buffer = io.BytesIO()
    if kind == "struct":
        column = pa.array(
            [None if cell is None else {"bytes": cell, "path": "x.png"} for cell in cells],
            pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
        )
    else:
        column = pa.array(cells, pa.large_binary() if kind == "large" else pa.binary())
    pq.write_table(pa.table({"image": column, "label": list(range(len(cells)))}), buffer, row_group_size=7)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["struct", "plain", "large"])
def test_cells_of_a_parquet_file_are_read_by_column_and_row(kind, tmp_path):
    cells = [noise(200 + number, number) for number in range(40)]
    cells[11] = None
    with opened(tmp_path, "t.parquet", table(cells, kind)) as (store, listed):
        assert (listed.fault, listed.ends) == ("", "")
        for number, cell in enumerate(cells):
            if cell is not None:
                assert store.read(f"t.parquet!image/{number}").data == cell
        with pytest.raises(ReadError, match="holds no bytes"):
            store.read("t.parquet!image/11")
        with pytest.raises(ReadError, match="no such member"):
            store.read("t.parquet!label/0")


def test_a_parquet_file_without_bytes_is_said(tmp_path):
    pq.write_table(pa.table({"label": [1, 2]}), tmp_path / "t.parquet")
    with opened(tmp_path, "t.parquet") as (_, listed):
        assert "no column of it holds bytes" in listed.fault


def test_a_parquet_file_that_unpacks_to_far_more_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "_SMALL_BYTES", 1_000_000)
    for cells, options in (([bytes(3_000_000)], {"compression": "zstd"}), ([noise(100_000)] * 500, {})):
        pq.write_table(pa.table({"image": pa.array(cells, pa.binary())}), tmp_path / "t.parquet", **options)
        with opened(tmp_path, "t.parquet") as (_, listed):
            assert "decompression bomb" in listed.fault


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    def without(name):
        raise ImportError(name)

    for name, data in (("x.tar.zst", made(".tar.zst")), ("t.parquet", table([b"x"]))):
        with monkeypatch.context() as patch:
            patch.setattr("importlib.import_module", without)
            whole, _, _ = faults(tmp_path, name, data)
        assert "pip install bulkdcm[" in whole


# What a process holds


def test_a_process_holds_few_files_open(tmp_path):
    names = [f"{number}.zip" for number in range(40)]
    for name in names:
        (tmp_path / name).write_bytes(zipped({"a.png": name.encode()}))
    with Catalogue(str(tmp_path)) as known:
        for name in names:
            known.look(name)
        store = WithArchives(root=str(tmp_path), home=known.home)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for name in names * 2:
            assert store.read(f"{name}!a.png").data == name.encode()
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 18


def test_an_archive_is_not_opened_again_for_each_member(tmp_path, monkeypatch):
    with opened(tmp_path, "x.zip", zipped()) as (store, _):
        calls = []
        of_reading = reading.opened
        monkeypatch.setattr(
            reading, "opened", lambda *given, **named: calls.append(given) or of_reading(*given, **named)
        )
        made_index = index.Index
        monkeypatch.setattr(index, "Index", lambda *given, **named: calls.append(given) or made_index(*given, **named))
        for name in [*FILES] * 5:
            store.read(f"x.zip!{name}")
        assert len(calls) <= 2


def test_an_archive_behind_a_link_that_leads_outside_is_not_read(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "x.zip").write_bytes(zipped())
    (root / "x.zip").symlink_to(tmp_path / "x.zip")
    with Catalogue(str(root)) as known:
        assert "outside the image root" in known.look("x.zip").fault
    with Catalogue(str(root), follow_links=True) as known:
        assert not known.look("x.zip").fault
        with pytest.raises(ReadError, match="outside the image root"):
            WithArchives(root=str(root), home=known.home).read("x.zip!d.png")
        assert WithArchives(root=str(root), home=known.home, follow_links=True).read("x.zip!d.png").data == b"x"


def test_nothing_is_made_until_an_archive_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue.tempfile, "mkdtemp", lambda **_: pytest.fail("made"))
    with Catalogue(str(tmp_path), earlier=str(tmp_path / "kept")) as known:
        known.ready(["a.png", "b.png"])
    assert not list(tmp_path.iterdir())
