"""Nothing good is ever destroyed and nothing foreign overwritten: what a run may replace, and what stays."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
import unicodedata
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

import bulkdcm
from bulkdcm.errors import LedgerError, ManifestError, StorageError
from bulkdcm.ledger.files import FILE, FOLDER
from bulkdcm.report.writers import SUMMARY
from bulkdcm.stores import Local, putting
from tests.systems import open_folders

HEADER = "source,PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber"
FIXTURES = Path(__file__).parents[1] / "fixtures"
DEMO = Path(__file__).parents[2] / "manifests" / "demo"


def image(path: Path, shade: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.roll(np.arange(64, dtype=np.uint8).reshape(8, 8), shade)).save(path)


class Work:
    """A folder with images, a manifest of them, and an output folder."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self.folder, self.images, self.out = folder, folder / "images", folder / "out"
        self.manifest = folder / "manifest.csv"
        for number, name in enumerate(names):
            image(self.images / name, number)
        self.write(*names)

    def write(self, *names: str, column: str = "", cells: tuple[str, ...] = ()) -> None:
        lines = [HEADER + (f",{column}" if column else "")]
        for number, name in enumerate(names):
            more = f",{cells[number]}" if column else ""
            lines.append(f"{name},1,A^B,20230101,101112,1,1,{number + 1}{more}")
        self.manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def options(self, options: dict) -> dict:
        return {"images": self.images, "backend": "sequential", "fsync": False, **options}

    def run(self, **options):
        return bulkdcm.convert(self.manifest, self.out, **self.options(options))

    def plan(self, **options) -> dict[str, int]:
        return bulkdcm.plan(self.manifest, self.out, **self.options(options))

    def refused(self, **options) -> str:
        """Return what is said of a run that is refused and changes nothing."""
        before = digests(self.folder)
        with pytest.raises(ManifestError) as caught:
            self.run(**options)
        with pytest.raises(ManifestError):
            self.plan(**options)
        assert digests(self.folder) == before
        return " ".join([caught.value.message, *(problem.text for problem in caught.value.problems)])

    def outputs(self) -> dict[str, str]:
        return {name: digest for name, digest in digests(self.out).items() if name.endswith(".dcm")}


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that a run could harm."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".bulkdcm" not in path.relative_to(folder).parts
        if path.name != SUMMARY  # which says of each refused run that it was
    }


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path, ("a.png", "b.png", "c.png", "d.png"))


@pytest.fixture
def done(work):
    work.run()
    return work


def test_a_share_that_is_not_mounted_costs_no_output(done):
    whole = done.outputs()
    shutil.move(done.images, done.folder / "elsewhere")
    done.images.mkdir()
    told = done.refused()
    assert "none of the sources of its 4 rows is there" in told
    assert "--max-missing 1" in told
    report = done.run(max_missing=1)
    assert report.count("failed") == 4
    assert report.table["earlier_source_sha256"].notna().all()
    assert done.outputs() == whole


def test_a_first_run_without_any_source_is_refused_and_leaves_nothing(work):
    shutil.rmtree(work.images)
    work.images.mkdir()
    work.refused()
    assert not work.out.exists()


@pytest.mark.parametrize(("gone", "share", "runs"), [(2, 0.5, True), (3, 0.5, False), (3, 0.75, True), (1, 0.0, False)])
def test_more_than_a_share_of_missing_sources_stops_a_run(gone, share, runs, done):
    whole = done.outputs()
    for name in ("a.png", "b.png", "c.png")[:gone]:
        (done.images / name).unlink()
    if runs:
        assert done.run(max_missing=share).count("failed") == gone
    else:
        assert f"{gone:,} are missing, such as a.png" in done.refused(max_missing=share)
    assert done.outputs() == whole


@pytest.mark.parametrize(
    "options",
    [
        {"defaults": {"sop_class": "OP8"}, "skip_invalid": True},
        {"defaults": {"sop_class": "DX"}, "skip_invalid": True},
        {"max_pixels": 1, "defaults": {"StudyDescription": "x"}},
    ],
)
def test_rows_that_fail_for_whatever_reason_keep_their_outputs(options, done):
    whole, sources = done.outputs(), done.run().table["source_sha256"].tolist()
    report = done.run(**options)
    assert report.count("failed") == 4
    assert report.table["earlier_source_sha256"].tolist() == sources
    assert done.outputs() == whole
    assert done.run().count("converted") == 4
    assert done.run().table["earlier_source_sha256"].isna().all()
    assert done.outputs() == whole


def test_restamping_in_place_is_refused(done):
    done.images = done.out
    done.write("a.dcm", "b.dcm")
    for options in ({}, {"overwrite": True}):
        assert "would take the place of the source on line 2, and 1 more like it" in done.refused(**options)
    done.refused(overwrite=True, prune=True)


def link(target: Path, path: Path) -> None:
    path.symlink_to(target)


def hard_link(target: Path, path: Path) -> None:
    os.link(target, path)


@pytest.mark.parametrize("make", [link, hard_link])
@pytest.mark.parametrize("target", ["images/a.png", "images/d.png", "manifest.csv", "key"])
def test_an_output_that_is_a_link_to_what_the_run_reads_is_refused(target, make, work):
    (work.folder / "key").write_bytes(bytes(32))
    work.out.mkdir()
    make(work.folder / target, work.out / "b.dcm")
    for overwrite in (False, True):
        told = work.refused(overwrite=overwrite, uid_key_file=work.folder / "key")
        assert "take the place of" in told


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("images/b.png", "the source on line 3"),
        ("images/A.PNG", "the source on line 2"),
        ("manifest.csv", "the manifest"),
        ("Manifest.CSV", "the manifest"),
        ("key", "the UID key file"),
        ("ledger", "the ledger"),
        ("template.dcm", "the template file"),
    ],
)
def test_an_output_named_as_what_the_run_reads_is_refused(cell, what, work):
    other = Work(work.folder / "other", ("t.png",))
    other.run()
    shutil.copy(other.out / "t.dcm", work.folder / "template.dcm")
    work.out = work.folder
    (work.folder / "key").write_bytes(bytes(32))
    work.write("a.png", "b.png", column="output", cells=(cell, "fine.dcm"))
    options = {
        "uid_key_file": work.folder / "key",
        "template": work.folder / "template.dcm",
        "ledger": work.folder / "ledger",
    }
    for overwrite in (False, True):
        assert f"would take the place of {what}" in work.refused(overwrite=overwrite, **options)


def test_the_report_never_takes_the_place_of_the_manifest(work):
    work.manifest = work.manifest.rename(work.folder / "report.csv")
    work.out = work.folder
    assert "the manifest would be replaced by the run's own report.csv" in work.refused(overwrite=True)


def test_unknown_files_are_refused_all_at_once_and_overwrite_takes_them(work):
    work.out.mkdir()
    for name in ("a.dcm", "b.dcm", "c.dcm"):
        (work.out / name).write_bytes(b"somebody's")
    told = work.refused()
    assert "3 files in --out that no ledger knows would be replaced: a.dcm, b.dcm, c.dcm" in told
    assert "--overwrite" in told
    assert "bulkdcm rebuild" in told
    skipped = work.run(skip_invalid=True)
    assert skipped.table["status"].tolist() == ["failed", "failed", "failed", "converted"]
    assert (work.out / "a.dcm").read_bytes() == b"somebody's"
    assert work.run(overwrite=True).count("converted") == 4


def test_overwrite_replaces_no_folder(work):
    (work.out / "a.dcm").mkdir(parents=True)
    assert "1 file in --out" in work.refused(overwrite=True)


def test_a_file_that_comes_during_the_run_stays(work, monkeypatch):
    really = putting._write

    def write(folder, name, data):
        (work.out / "b.dcm").write_bytes(b"somebody's")
        return really(folder, name, data)

    monkeypatch.setattr(putting, "_write", write)
    report = work.run()
    assert report.table["status"].tolist() == ["converted", "failed", "converted", "converted"]
    assert report.table["error"][1] == "OccupiedError"
    assert (work.out / "b.dcm").read_bytes() == b"somebody's"
    assert not list(work.out.rglob("*.bulkdcm-*"))


def test_overwrite_takes_no_link_that_comes_during_the_run(tmp_path, monkeypatch):
    """Its folder wasn't there when the run looked."""
    work = Work(tmp_path, ("a.png", "sub/b.png"))
    really = putting._write

    def write(folder, name, data):
        written = really(folder, name, data)
        if Path(folder.path).name == "sub":
            (work.out / "sub" / "b.dcm").symlink_to(work.manifest)
        return written

    monkeypatch.setattr(putting, "_write", write)
    report = work.run(overwrite=True)
    assert report.table["status"].tolist() == ["converted", "failed"]
    assert (work.out / "sub" / "b.dcm").is_symlink()


@open_folders
@pytest.mark.parametrize("when", ["before the file is written", "after"])
def test_a_folder_that_comes_in_place_of_the_output_folder_stays_empty(when, work, monkeypatch):
    """Nothing may be written into it, however close to the writing it came."""
    really = putting._write

    def write(folder, name, data):
        written = really(folder, name, data) if when == "after" else 0
        if not work.out.with_name("moved").exists():
            work.out.rename(work.out.with_name("moved"))
            work.out.mkdir()
        return written or really(folder, name, data)

    monkeypatch.setattr(putting, "_write", write)
    with pytest.raises(StorageError, match="removed, moved or replaced"):
        work.run()
    assert not list(work.out.iterdir())


def test_a_ledger_that_is_gone_makes_outputs_unknown_until_they_are_recognised(done):
    shutil.rmtree(done.out / ".bulkdcm")
    assert "bulkdcm rebuild" in done.refused()
    bulkdcm.rebuild(done.manifest, done.out, **done.options({}))
    assert done.plan() == {"done": 4}


def test_in_the_uid_layout_equal_bytes_are_adopted_and_others_stay(work):
    work.run(layout="uid")
    whole = work.outputs()
    shutil.rmtree(work.out / ".bulkdcm")
    report = work.run(layout="uid")
    assert report.count("converted") == 4
    assert work.outputs() == whole
    shutil.rmtree(work.out / ".bulkdcm")
    first = work.out / min(whole)
    first.write_bytes(b"somebody's")
    report = work.run(layout="uid")
    assert report.count("failed") == 1
    assert "that this run may not replace" in report.table["message"].dropna().iloc[0]
    assert first.read_bytes() == b"somebody's"
    assert work.run(layout="uid", overwrite=True).count("converted") == 4
    assert work.outputs() == whole


def test_the_name_of_a_row_that_is_gone_needs_prune(done):
    whole = done.outputs()
    image(done.images / "a.jpg", 9)
    done.write("a.jpg", "b.png", "c.png", "d.png")
    told = done.refused()
    assert "of a row that is no longer in the manifest" in told
    assert "--prune" in told
    assert done.run(prune=True).count("converted") == 4
    assert done.outputs().keys() == whole.keys()
    assert done.outputs()["a.dcm"] != whole["a.dcm"]
    assert done.plan() == {"done": 4}


def swap(work, *order: str) -> None:
    work.write("a.png", "b.png", "c.png", "d.png", column="output", cells=order)


def test_swapped_names_and_rings_of_them(done):
    whole = done.outputs()
    swap(done, "b.dcm", "c.dcm", "a.dcm", "e.dcm")
    report = done.run()
    assert report.count("converted") == 4
    assert done.outputs() == {
        "b.dcm": whole["a.dcm"], "c.dcm": whole["b.dcm"], "a.dcm": whole["c.dcm"], "e.dcm": whole["d.dcm"],
    }  # fmt: skip
    assert done.plan() == {"done": 4}


def test_a_swap_whose_other_half_fails_changes_nothing(done):
    whole = done.outputs()
    swap(done, "b.dcm", "a.dcm", "d.dcm", "c2.dcm")
    (done.images / "b.png").write_bytes(b"broken")
    report = done.run()
    assert report.table["status"].tolist() == ["failed", "failed", "converted", "converted"]
    assert "the output of line 3 is there, which has no new one" in report.table["message"][0]
    kept = {name: whole[name] for name in ("a.dcm", "b.dcm")}
    assert done.outputs() == {**kept, "d.dcm": whole["c.dcm"], "c2.dcm": whole["d.dcm"]}
    assert not list(done.out.rglob("*.bulkdcm-*"))
    image(done.images / "b.png", 1)
    assert done.run().count("converted") == 4
    assert done.outputs()["b.dcm"] == whole["a.dcm"]


def test_a_swap_that_is_killed_between_its_commit_and_its_renames_goes_on(done, monkeypatch):
    whole = done.outputs()
    swap(done, "b.dcm", "a.dcm", "c.dcm", "d.dcm")
    with monkeypatch.context() as patched:
        patched.setattr(Local, "settle", lambda *_: (_ for _ in ()).throw(StorageError("killed")))
        with pytest.raises(StorageError):
            done.run()
    assert done.outputs() == whole
    assert done.plan() == {"done": 4}
    assert done.outputs() == {**whole, "a.dcm": whole["b.dcm"], "b.dcm": whole["a.dcm"]}
    assert done.run().count("converted") == 4


def test_the_same_manifest_over_other_images_is_refused(done):
    whole = done.outputs()
    other = done.folder / "other"
    for number, name in enumerate(("a.png", "b.png", "c.png", "d.png")):
        image(other / name, number + 20)
    first, done.images = done.images, other
    told = done.refused()
    assert str(first) in told
    assert "the run would replace 4 of the outputs" in told
    assert done.outputs() == whole


def test_the_same_images_elsewhere_are_the_same_work(done):
    moved = done.folder / "moved"
    shutil.copytree(done.images, moved, copy_function=shutil.copyfile)
    done.images = moved
    assert done.plan() == {"done": 4}
    assert done.run().count("converted") == 4
    assert done.plan(check_sources=False) == {"done": 4}


def test_a_source_rewritten_with_its_size_and_time_is_found_by_check_sources(done):
    path = done.images / "a.png"
    status, data = path.stat(), bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert done.plan() == {"done": 4}
    assert done.plan(check_sources=True) == {"source changed": 1, "done": 3}


def test_prune_leaves_a_file_that_is_not_what_was_written(done):
    (done.out / "a.dcm").write_bytes(b"somebody's")
    done.write("c.png", "d.png")
    report = done.run(prune=True)
    assert any("that hold something else, left alone: 1" in note for note in report.notes)
    assert (done.out / "a.dcm").read_bytes() == b"somebody's"
    assert not (done.out / "b.dcm").exists()


@pytest.mark.usefixtures("unicode_names")
@pytest.mark.parametrize("layout", ["mirror", "uid"])
def test_one_name_in_two_unicode_forms_is_one_key(layout, work):
    names = [unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD")]
    for name in names:
        image(work.images / name)
    work.write(*names)
    assert "both would get one SOPInstanceUID" in work.refused(layout=layout)


@pytest.mark.parametrize("column", ["PatientID", "AccessionNumber", "StudyID"])
def test_one_value_in_two_unicode_forms_is_said(column, work):
    lines = [f"source,PatientName,StudyDate,{column}"]
    lines += [
        f"{name}.png,A^B,20230101,{unicodedata.normalize(form, 'é')}" for name, form in (("a", "NFC"), ("b", "NFD"))
    ]
    work.manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert "the same letters in another Unicode form" in work.refused()


@pytest.mark.usefixtures("unicode_names")
@pytest.mark.parametrize(("there", "named"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_source_is_found_whichever_form_its_name_has(there, named, tmp_path):
    names = {form: unicodedata.normalize(form, "Bär/é.png") for form in ("NFC", "NFD")}
    work = Work(tmp_path, (names[there],))
    work.write(names[named])
    assert work.run().count("converted") == 1
    assert work.plan() == {"done": 1}
    uid = pydicom.dcmread(next(work.out.rglob("*.dcm"))).SOPInstanceUID
    other = Work(tmp_path / "other", (names[named],))
    other.run()
    assert pydicom.dcmread(next(other.out.rglob("*.dcm"))).SOPInstanceUID == uid


def test_a_source_that_is_not_found_is_told_with_its_lookalike(work):
    work.write("A.PNG", "b.png")
    warnings = [str(problem) for problem in bulkdcm.check(work.manifest, images=work.images)]
    assert any("There is 'a.png'" in text for text in warnings)


def test_two_copies_of_one_dicom_file_get_two_uids(done):
    shutil.copy(done.out / "a.dcm", done.images / "x.dcm")
    shutil.copy(done.out / "a.dcm", done.images / "y.dcm")
    done.write("x.dcm", "y.dcm")
    done.out = done.folder / "again"
    report = done.run()
    assert report.table["sop_instance_uid"].nunique() == 2


@pytest.mark.parametrize("layout", ["mirror", "uid"])
def test_a_uid_given_to_one_row_and_derived_for_another_is_said(layout, work):
    uid = work.run(layout=layout).table["sop_instance_uid"][0]
    shutil.rmtree(work.out)
    work.write("a.png", "b.png", "c.png", column="SOPInstanceUID", cells=("", uid, ""))
    report = work.run(layout=layout)
    assert report.table["status"].tolist() == ["failed", "converted", "converted"]
    assert "is the one that another row names" in report.table["message"][0]
    assert len(work.outputs()) == 2


def test_links_that_lead_outside_are_told_once_with_the_option(work):
    blobs = work.folder / "blobs"
    blobs.mkdir()
    for name in ("a.png", "b.png", "c.png", "d.png"):
        (work.images / name).rename(blobs / name)
        (work.images / name).symlink_to(f"../blobs/{name}")
    problems = bulkdcm.check(work.manifest, images=work.images)
    assert len([problem for problem in problems if "outside the image root" in problem.rule]) == 1
    assert "--follow-links" in work.refused()
    assert work.run(follow_links=True).count("converted") == 4


@pytest.mark.parametrize("name", ["ledger_0.1.0", "ledger_2"])
def test_a_ledger_of_an_older_release_opens_resumes_and_reports(name, tmp_path, monkeypatch):
    """It was written for the demo, whose files had this modification time; version 2 knows the release that failed a row.

    Its outputs followed older rules, by which deep gray had no window.
    """
    data, out = tmp_path / "demo", tmp_path / "out"
    shutil.copytree(DEMO, data)
    for path in data.rglob("*"):
        os.utime(path, ns=(1_700_000_000_000_000_000,) * 2)
    made = bulkdcm.convert(data / "manifest.csv", out, backend="sequential").table
    shutil.rmtree(out / ".bulkdcm")
    (out / ".bulkdcm").mkdir()
    shutil.copy(FIXTURES / name / "ledger.sqlite", out / ".bulkdcm" / "ledger.sqlite")
    (out / ".bulkdcm" / "ledger-exists").touch()
    decoded_lossy = made["decisions"].str.contains("decoded:") | made["source"].str.endswith((".webp", ".gif"))
    windowed = made["decisions"].str.contains("window")
    pinned = int((~(decoded_lossy | windowed).fillna(value=True).astype(bool)).sum())
    planned = bulkdcm.plan(data / "manifest.csv", out)
    assert planned.pop("failed before", 0) + planned.pop("failed before, unchanged", 0) == 1
    assert planned == {"schema changed": int((made["status"] == "converted").sum())}
    with monkeypatch.context() as before:
        before.setattr("bulkdcm.objects.image.Image.output_schema", 1)
        before.setattr("bulkdcm.objects.image.Image.called_up_schema", 2)
        assert bulkdcm.plan(data / "manifest.csv", out)["done"] >= pinned
    report = bulkdcm.convert(data / "manifest.csv", out, backend="sequential")
    assert report.table["status"].tolist() == made["status"].tolist()
    assert report.table["output_sha256"].tolist() == made["output_sha256"].tolist()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"retry_failed": True},
        {"retry_failed": False},
        {"only_failed": True},
        {"only_failed": True, "retry_failed": False},
        {"rows": "0:3"},
        {"rows": "2:"},
        {"sample": 2},
        {"where": "InstanceNumber in ('1', '4')"},
        {"defaults": {"StudyDescription": "new"}},
        {"defaults": {"StudyDescription": "new"}, "rows": "1:2"},
    ],
)
def test_a_dry_run_counts_exactly_what_would_run(options, work):
    (work.images / "b.png").write_bytes(b"broken")
    (work.images / "d.png").unlink()
    work.run(rows="0:2")
    work.run(rows="3:4")
    counts = work.plan(**options)
    report = work.run(**options)
    ran = report.table.iloc[list(report.ran)]["reason"].value_counts().to_dict()
    left = {"done", "not selected", "failed before, left", "failed before, unchanged"}
    assert {reason: count for reason, count in counts.items() if reason not in left} == ran
    assert sum(counts.values()) == 4


def test_an_old_output_that_cannot_be_removed_is_told_and_goes_the_next_time(done, monkeypatch):
    really = Path.unlink

    def unlink(path, **options):
        if path.name == "a.dcm":
            raise PermissionError(13, "Permission denied")
        really(path, **options)

    done.write("a.png", "b.png", column="output", cells=("elsewhere.dcm", "b.dcm"))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", unlink)
        for _ in range(2):
            with pytest.raises(
                StorageError, match=r"1 old outputs could not be removed, such as .*a\.dcm: Permission denied"
            ):
                done.run()
            assert (done.out / "a.dcm").exists()
    assert done.run().count("converted") == 2
    assert not (done.out / "a.dcm").exists()
    assert (done.out / "c.dcm").exists(), "of a row that is gone"


def doctored(out: Path, statement: str, *values: object) -> None:
    with contextlib.closing(sqlite3.connect(out / FOLDER / FILE)) as connection, connection:
        connection.execute(statement, values)


@pytest.mark.parametrize(
    ("staged", "output"),
    [
        ("payload.txt", "../victim"),
        ("payload.txt", "a.dcm"),
        ("../victim", "a.dcm"),
        (f".{'0' * 16}.bulkdcm-staged", "../victim"),
        (f".{'0' * 16}.bulkdcm-staged", "payload.txt"),
        (f"x/.{'0' * 16}.bulkdcm-staged", "a.dcm"),
        ("a\0b", "a.dcm"),
    ],
)
def test_a_ledger_that_somebody_has_written_moves_into_moves_nothing(staged, output, done):
    victim = done.out.parent / "victim"
    for path in (victim, done.out / "payload.txt", done.out / f".{'0' * 16}.bulkdcm-staged"):
        path.write_text(path.name, encoding="utf-8")
    before = digests(done.folder)
    doctored(done.out, "INSERT INTO move VALUES (?, ?)", staged, output)
    for go_on in (done.run, done.plan):
        with pytest.raises(LedgerError, match="is damaged: it wants"):
            go_on()
    assert digests(done.folder) == before


@pytest.mark.parametrize("output", ["notes.txt", "../notes.txt", "a\0b"])
@pytest.mark.parametrize("facts", [(None, None, None), (5, None, None)], ids=["nothing known", "size"])
def test_a_ledger_that_somebody_has_written_old_outputs_into_removes_nothing(facts, output, done):
    notes = [done.out / "notes.txt", done.out.parent / "notes.txt"]
    for path in notes:
        path.write_text("notes", encoding="utf-8")
    doctored(done.out, "INSERT INTO obsolete VALUES (?, ?, ?, ?)", output, *facts)
    done.run()
    assert all(path.exists() for path in notes)


def test_a_ledger_with_a_view_or_a_trigger_is_refused(done):
    doctored(done.out, "CREATE TRIGGER t AFTER INSERT ON fact BEGIN DELETE FROM outcome; END")
    with pytest.raises(LedgerError, match="views or triggers"):
        done.run()
