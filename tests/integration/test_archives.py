"""A run from archives gives the bytes of the unpacked run, resumes, and fails only the rows that are at fault."""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import os
import shutil
import tarfile
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from PIL import Image

import bulkdcm
from bulkdcm.cli import run
from bulkdcm.draft import FolderOptions, draft_manifest
from bulkdcm.errors import ManifestError
from bulkdcm.stores import tars
from tests.conformance.cases import COMMON, write_manifest

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [f"p{number % 2}/{number:02}.{'png' if number % 3 else 'jpg'}" for number in range(12)]
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst")
TABLE = "shard-0.parquet"


def image(number: int, kind: str) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 255, (20 + number, 24), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG" if kind == "jpg" else "PNG")
    return buffer.getvalue()


IMAGES = {name: image(number, name.rpartition(".")[2]) for number, name in enumerate(NAMES)}


def archive(path: Path, files=IMAGES, mtime: int = 1_600_000_000) -> None:
    """Write an archive of the format that its name has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    if path.suffix == ".parquet":
        cells = [{"bytes": data, "path": name} for name, data in files.items()]
        pq.write_table(pa.table({"image": cells}), path, row_group_size=5)
        return
    if path.suffix == ".zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, data in files.items():
                packed.writestr(zipfile.ZipInfo(name, (2020, 1, 1 + mtime % 7, 0, 0, 0)), data)
    else:
        with tarfile.open(fileobj=buffer, mode="w") as packed:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size, info.mtime = len(data), mtime
                packed.addfile(info, io.BytesIO(data))
    data = buffer.getvalue()
    if path.suffix in {".gz", ".tgz"}:
        data = gzip.compress(data)
    path.write_bytes(zstandard.compress(data) if path.suffix == ".zst" else data)


def manifest(path: Path, sources, **more) -> Path:
    write_manifest(
        path,
        [{"source": source, **COMMON, "InstanceNumber": number, **more} for number, source in enumerate(sources, 1)],
    )
    return path


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.dcm")}


def messages(report) -> dict[str, str]:
    failed = report.table[report.table["status"] == "failed"]
    return dict(zip(failed["source"], failed["message"], strict=True))


def left(path: Path, out: Path, **options) -> dict[str, int]:
    return bulkdcm.plan(path, out, **options)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """Return the outputs of the unpacked run in each layout, with the archives in the folder `s` of the image root."""
    folder = tmp_path_factory.mktemp("unpacked")
    for name, data in IMAGES.items():
        (folder / "s" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "s" / name).write_bytes(data)
    path = manifest(folder / "m.csv", [f"s/{name}" for name in NAMES])
    found = {}
    for layout in ("mirror", "uid"):
        bulkdcm.convert(path, folder / layout, layout=layout, backend="sequential")
        found[layout] = outputs(folder / layout)
        assert len(found[layout]) == len(NAMES)
    return found


@pytest.mark.parametrize(
    ("ending", "backend"),
    [*((ending, "sequential") for ending in ENDINGS), (".zip", "loky"), (".tar.zst", "threading")],
)
def test_a_run_from_an_archive_gives_the_bytes_of_the_unpacked_run_and_is_done_once(
    ending, backend, unpacked, tmp_path
):
    archive(tmp_path / f"s/x{ending}")
    path = manifest(tmp_path / "m.csv", [f"s/x{ending}!{name}" for name in NAMES])
    out = tmp_path / "out"
    assert left(path, out) == {"new": len(NAMES)}
    report = bulkdcm.convert(path, out, backend=backend, n_jobs=2, chunk_size=3)
    assert messages(report) == {}
    assert outputs(out) == unpacked["mirror"]
    assert sorted(path.name for path in (out / ".bulkdcm/archives").iterdir()) == ["index.sqlite"]
    assert list(report.table["source"]) == [f"s/x{ending}!{name}" for name in NAMES]
    for options in ({}, {"check_sources": True}):
        assert left(path, out, **options) == {"done": len(NAMES)}
        assert bulkdcm.convert(path, out, **options, backend="sequential").table["attempt"].max() == 1
    bulkdcm.convert(path, tmp_path / "uid", layout="uid", backend="sequential")
    assert outputs(tmp_path / "uid") == unpacked["uid"]


def test_a_run_from_parquet_gives_the_bytes_of_files_in_a_folder_of_its_name(tmp_path):
    archive(tmp_path / TABLE)
    names = [f"image/{number}" for number in range(len(NAMES))]
    for name, data in zip(names, IMAGES.values(), strict=True):
        (tmp_path / "shard-0" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shard-0" / name).write_bytes(data)
    plain = manifest(tmp_path / "plain.csv", [f"shard-0/{name}" for name in names])
    packed = manifest(tmp_path / "packed.csv", [f"{TABLE}!{name}" for name in names])
    for path in (plain, packed):
        assert messages(bulkdcm.convert(path, path.with_suffix(""), backend="loky", n_jobs=2)) == {}
    assert outputs(tmp_path / "plain") == outputs(tmp_path / "packed")
    assert "shard-0/image/7.dcm" in outputs(tmp_path / "packed")
    assert left(packed, tmp_path / "packed") == {"done": len(NAMES)}


def test_two_tables_with_the_same_columns_do_not_collide(tmp_path):
    for name in (TABLE, "shard-1.parquet"):
        archive(tmp_path / name)
    path = manifest(tmp_path / "m.csv", [f"{name}!image/3" for name in (TABLE, "shard-1.parquet")])
    assert messages(bulkdcm.convert(path, tmp_path / "out", backend="sequential")) == {}
    assert outputs(tmp_path / "out").keys() == {"shard-0/image/3.dcm", "shard-1/image/3.dcm"}


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz", ".parquet"])
def test_an_archive_made_anew_runs_only_what_has_changed(ending, tmp_path):
    name = f"x{ending}"
    members = [f"image/{number}" for number in range(len(NAMES))] if ending == ".parquet" else NAMES
    archive(tmp_path / name)
    path = manifest(tmp_path / "m.csv", [f"{name}!{member}" for member in members])
    out = tmp_path / "out"
    bulkdcm.convert(path, out, backend="sequential")
    before = outputs(out)
    archive(tmp_path / name, mtime=1_600_000_003)
    os.utime(tmp_path / name, ns=(5, 5))
    assert left(path, out) == {"done": len(NAMES)}
    assert bulkdcm.convert(path, out, backend="sequential").table["attempt"].max() == 1
    assert outputs(out) == before
    changed = {**IMAGES, NAMES[4]: image(99, "png")}
    archive(tmp_path / name, changed)
    os.utime(tmp_path / name, ns=(7, 7))
    assert left(path, out) == {"done": len(NAMES) - 1, "source changed": 1}
    report = bulkdcm.convert(path, out, backend="sequential")
    assert list(report.table["attempt"]) == [2 if number == 4 else 1 for number in range(len(NAMES))]
    assert left(path, out) == {"done": len(NAMES)}


def test_what_was_unpacked_and_is_packed_now_is_known_again(tmp_path):
    for name, data in IMAGES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    out = tmp_path / "out"
    bulkdcm.convert(manifest(tmp_path / "m.csv", NAMES), out, backend="sequential")
    archive(tmp_path / "x.tar.gz")
    for folder in ("p0", "p1"):
        shutil.rmtree(tmp_path / folder)
    path = manifest(tmp_path / "m.csv", [f"x.tar.gz!{name}" for name in NAMES])
    assert left(path, out) == {"done": len(NAMES)}


def test_a_compressed_archive_is_read_once_for_a_run_and_not_at_all_for_nothing(tmp_path, monkeypatch):
    archive(tmp_path / "x.tar.gz")
    path = manifest(tmp_path / "m.csv", [f"x.tar.gz!{name}" for name in reversed(NAMES)])
    reads = []
    of_stream = tars.members
    monkeypatch.setattr(tars, "members", lambda *given: reads.append(given) or of_stream(*given))
    bulkdcm.convert(path, tmp_path / "out", backend="sequential", chunk_size=1)
    assert len(reads) == 1
    bulkdcm.convert(path, tmp_path / "out", backend="sequential")
    assert len(reads) == 1


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz", ".tar.zst"])
def test_missing_members_are_named_before_and_fail_their_rows_alone(ending, tmp_path):
    archive(tmp_path / f"x{ending}")
    sources = [f"x{ending}!{name}" for name in (NAMES[0], "P0/02.PNG", "none.png")] + [f"y{ending}!a.png"]
    path = manifest(tmp_path / "m.csv", sources)
    said = {line: str(problem) for problem in bulkdcm.check(path) for line in problem.lines}
    assert said.keys() == {3, 4, 5}
    assert f"There is {NAMES[2]!r}" in said[3]
    assert "no such member in the archive; its row will fail" in said[4]
    assert "no such file under the image root" in said[5]
    found = messages(bulkdcm.convert(path, tmp_path / "out", backend="sequential"))
    assert found.keys() == set(sources[1:])
    assert f"no such member in x{ending}" in found[sources[2]]
    read = {line for problem in bulkdcm.check(path, read=True) for line in problem.lines}
    assert read == {3, 4, 5}


@pytest.mark.parametrize("ending", [*ENDINGS, ".parquet"])
def test_a_damaged_archive_fails_its_own_rows_with_one_message(ending, tmp_path):
    archive(tmp_path / "good.zip")
    archive(tmp_path / f"bad{ending}")
    data = (tmp_path / f"bad{ending}").read_bytes()
    (tmp_path / f"bad{ending}").write_bytes(data[: len(data) // 4] if ending != ".tar" else bytes(600) + data[:600])
    sources = [f"bad{ending}!{name}" for name in NAMES[:5]]
    path = manifest(tmp_path / "m.csv", [*sources, *(f"good.zip!{name}" for name in NAMES[5:])])
    (problem,) = bulkdcm.check(path)
    assert problem.lines == (2, 3, 4, 5, 6)
    found = messages(bulkdcm.convert(path, tmp_path / "out", backend="sequential"))
    assert found.keys() == set(sources)
    assert len({message.partition(": ")[2] for message in found.values()}) == 1
    assert len(outputs(tmp_path / "out")) == len(NAMES) - 5


def test_members_at_fault_are_warned_of_and_fail_alone(tmp_path):
    archive(tmp_path / "x.zip", {**IMAGES, "../up.png": b"x", "/abs.png": b"x"})
    with tarfile.open(tmp_path / "x.tar", "w") as packed:
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    path = manifest(tmp_path / "m.csv", ["x.tar!link.png", f"x.zip!{NAMES[0]}"])
    (problem,) = bulkdcm.check(path)
    assert (problem.severity, problem.lines) == ("warning", (2,))
    assert "it is a link" in problem.rule
    found = messages(bulkdcm.convert(path, tmp_path / "out", backend="sequential"))
    assert list(found) == ["x.tar!link.png"]
    for name in ("../up.png", "/abs.png", "a/../../up.png"):
        path = manifest(tmp_path / "n.csv", [f"x.zip!{name}"])
        with pytest.raises(ManifestError, match=r"absolute path|leads out"):
            bulkdcm.convert(path, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_two_archives_with_one_members_path_are_refused_until_they_are_told_apart(tmp_path):
    for name in ("x.zip", "y.tar"):
        archive(tmp_path / name)
    sources = [f"{name}!{NAMES[1]}" for name in ("x.zip", "y.tar")]
    path = manifest(tmp_path / "m.csv", sources)
    with pytest.raises(ManifestError, match="both would get one SOPInstanceUID"):
        bulkdcm.convert(path, tmp_path / "out")
    rows = [
        {"source": source, **COMMON, "InstanceNumber": number, "instance": number, "output": f"{number}.dcm"}
        for number, source in enumerate(sources)
    ]
    write_manifest(path, rows)
    table = bulkdcm.convert(path, tmp_path / "out", backend="sequential").table
    assert list(table["status"]) == ["converted"] * 2
    assert table["sop_instance_uid"].nunique() == 2


def test_a_file_with_a_mark_in_its_name_stays_a_file(tmp_path):
    (tmp_path / "x.zip!a.png").write_bytes(IMAGES[NAMES[1]])
    (tmp_path / "wow!a.png").write_bytes(IMAGES[NAMES[2]])
    path = manifest(tmp_path / "m.csv", ["x.zip!a.png", "wow!a.png"])
    assert messages(bulkdcm.convert(path, tmp_path / "out", backend="sequential")) == {}
    assert outputs(tmp_path / "out").keys() == {"x.zip!a.dcm", "wow!a.dcm"}
    assert not (tmp_path / "out/.bulkdcm/archives").exists()


@pytest.mark.parametrize("how", ["name", "link"])
def test_an_output_never_takes_the_place_of_an_archive(how, tmp_path):
    archive(tmp_path / "x.zip")
    name = "x.zip"
    if how == "link":
        (tmp_path / "linked.zip").hardlink_to(tmp_path / "x.zip")
        name = "linked.zip"
    before = (tmp_path / "x.zip").read_bytes()
    path = manifest(tmp_path / "m.csv", [f"x.zip!{NAMES[1]}"], output=name)
    with pytest.raises(ManifestError, match="take the place of the source on line 2"):
        bulkdcm.convert(path, tmp_path, images=tmp_path, overwrite=True)
    assert (tmp_path / "x.zip").read_bytes() == before


def test_a_share_that_is_not_mounted_stops_the_run_and_keeps_outputs(tmp_path):
    archive(tmp_path / "images/x.zip")
    archive(tmp_path / "images/y.tar.gz")
    path = manifest(tmp_path / "m.csv", [f"{'x.zip' if n < 9 else 'y.tar.gz'}!{name}" for n, name in enumerate(NAMES)])
    out = tmp_path / "out"
    bulkdcm.convert(path, out, images=tmp_path / "images", backend="sequential")
    (tmp_path / "images/x.zip").rename(tmp_path / "x.zip")
    with pytest.raises(ManifestError, match="9 are missing"):
        bulkdcm.convert(path, out, images=tmp_path / "images")
    (tmp_path / "images/y.tar.gz").unlink()
    with pytest.raises(ManifestError, match="none of the sources"):
        bulkdcm.convert(path, out, images=tmp_path / "images")
    assert len(outputs(out)) == len(NAMES)


def test_a_lost_ledger_is_made_anew_and_outputs_are_verified(tmp_path):
    archive(tmp_path / "x.tar.zst")
    path = manifest(tmp_path / "m.csv", [f"x.tar.zst!{name}" for name in NAMES])
    out = tmp_path / "out"
    bulkdcm.convert(path, out, backend="sequential")
    shutil.rmtree(out / ".bulkdcm")
    bulkdcm.rebuild(path, out, backend="sequential")
    assert left(path, out) == {"done": len(NAMES)}


def test_frames_and_files_to_stamp_anew_may_lie_in_archives(tmp_path):
    frames = tmp_path / "f.csv"
    shared = {**COMMON, "sop_class": "SC-BYTE", "instance": "a", "InstanceNumber": 1, "BurnedInAnnotation": "NO"}
    rows = [{"source": f"x.zip!p/{number}.png", **shared, "frame": number + 1} for number in range(3)]
    same = {f"p/{number}.png": image(5, "png") for number in range(3)}
    archive(tmp_path / "x.zip", same)
    write_manifest(frames, rows)
    for name, data in same.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    plain = tmp_path / "plain.csv"
    write_manifest(plain, [{**row, "source": row["source"].partition("!")[2]} for row in rows])
    bulkdcm.convert(frames, tmp_path / "frames", backend="sequential")
    bulkdcm.convert(plain, tmp_path / "plain", backend="sequential")
    made = outputs(tmp_path / "frames")
    assert made == outputs(tmp_path / "plain")
    archive(tmp_path / "d.tar.gz", made)
    again = manifest(
        tmp_path / "d.csv", [f"d.tar.gz!{name}" for name in made], sop_class="DICOM", PatientName="New^Name"
    )
    direct = manifest(tmp_path / "e.csv", list(made), sop_class="DICOM", PatientName="New^Name")
    assert messages(bulkdcm.convert(again, tmp_path / "again", backend="sequential")) == {}
    bulkdcm.convert(direct, tmp_path / "direct", images=tmp_path / "frames", backend="sequential")
    assert outputs(tmp_path / "again") == outputs(tmp_path / "direct")


def test_a_sample_is_the_same_one_packed_or_not(tmp_path):
    archive(tmp_path / "x.zip")
    for name, data in IMAGES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    for sources, out in ((NAMES, "plain"), ([f"x.zip!{name}" for name in NAMES], "packed")):
        bulkdcm.convert(manifest(tmp_path / "m.csv", sources), tmp_path / out, sample=4, backend="sequential")
    assert outputs(tmp_path / "plain") == outputs(tmp_path / "packed")


def drafted(path: Path, **options) -> tuple[list[dict[str, str]], list[str]]:
    out = path.parent / "drafted.csv"
    out.unlink(missing_ok=True)
    count, notes = draft_manifest(path, out, FolderOptions(**options))
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count
    return rows, notes


@pytest.mark.parametrize("ending", [*ENDINGS, ".parquet"])
def test_init_writes_a_manifest_of_an_archive_as_of_its_folder(ending, tmp_path):
    files = {**IMAGES, "notes.txt": b"text", ".hidden/a.png": IMAGES[NAMES[1]], "__MACOSX/._a.png": IMAGES[NAMES[1]]}
    name = f"x{ending}"
    archive(tmp_path / name, IMAGES if ending == ".parquet" else files)
    options = {"pattern": "p{PatientID}/*", "numbers": (("StudyID", "001"),), "constants": (("Modality", "CR"),)}
    if ending == ".parquet":
        options["pattern"] = "{PatientID}/*"
    rows, notes = drafted(tmp_path / name, **options, facts=("date",))
    members = [f"image/{number}" for number in range(len(NAMES))] if ending == ".parquet" else sorted(NAMES)
    assert [row["source"] for row in rows] == [f"{name}!{member}" for member in members]
    assert [row["StudyID"] for row in rows] == [f"{number:03}" for number in range(1, len(NAMES) + 1)]
    assert rows[0]["PatientID"] == ("image" if ending == ".parquet" else "0")
    assert "AcquisitionDate" in rows[0]
    assert bool(notes) == (ending != ".parquet")
    found = messages(bulkdcm.convert(tmp_path / "drafted.csv", tmp_path / "out", backend="sequential"))
    assert found == {}
    if ending != ".parquet":
        for member, data in IMAGES.items():
            (tmp_path / "folder" / member).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "folder" / member).write_bytes(data)
        same, _ = drafted(tmp_path / "folder", **options, facts=("date",))
        assert [{**row, "source": f"{name}!{row['source']}"} for row in same] == rows


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_init_leaves_out_and_says_what_can_not_be_used(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as packed:
        for name in ("good.png", "twice.png", "twice.png", "../up.png"):
            packed.writestr(name, IMAGES[NAMES[1]])
    rows, notes = drafted(tmp_path / "x.zip")
    assert [row["source"] for row in rows] == ["x.zip!good.png"]
    assert "2 members that can't be used" in notes[0]


def test_init_names_a_damaged_archive_and_a_file_that_is_none(tmp_path, capsys):
    (tmp_path / "x.tar.gz").write_bytes(b"nothing")
    assert run(["init", str(tmp_path / "x.tar.gz"), "--out", str(tmp_path / "m.csv")]) == 2
    assert "can't be used" in capsys.readouterr().err
    (tmp_path / "x.rar").write_bytes(b"nothing")
    assert run(["init", str(tmp_path / "x.rar"), "--out", str(tmp_path / "m.csv")]) == 2
    assert ".tar.zst" in capsys.readouterr().err
    assert not (tmp_path / "m.csv").exists()


def test_a_bench_of_an_archive_is_refused(tmp_path, capsys):
    archive(tmp_path / "x.zip")
    path = manifest(tmp_path / "m.csv", [f"x.zip!{NAMES[1]}"])
    assert run(["bench", str(path), "--n-jobs", "1", "--repeats", "1", "--place", str(tmp_path)]) == 2
    assert "Unpack the archive" in capsys.readouterr().err


def test_what_could_not_be_listed_is_tried_again_by_the_next_run(tmp_path, monkeypatch):
    archive(tmp_path / "x.tar.zst")
    path = manifest(tmp_path / "m.csv", [f"x.tar.zst!{name}" for name in NAMES])
    importing = importlib.import_module

    def without(name, *package):
        if name in {"zstandard", "compression.zstd"}:
            raise ImportError(name)
        return importing(name, *package)

    with monkeypatch.context() as patch:
        patch.setattr(importlib, "import_module", without)
        found = messages(bulkdcm.convert(path, tmp_path / "out", backend="sequential"))
    assert len(found) == len(NAMES)
    assert all("pip install bulkdcm[archives]" in message for message in found.values())
    assert messages(bulkdcm.convert(path, tmp_path / "out", backend="sequential")) == {}
