"""What runs again and why; what does not; what a changed row leaves behind; damaged ledgers and outputs."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3

import pytest

USUAL = ("--backend", "sequential")  # what is tested is the run's own; workers would only take time


@pytest.fixture
def done(job_of):
    """Return a job of 40 rows that has been converted."""
    job = job_of(40)
    finished = job.run()
    assert finished.returncode == 0, finished.stderr
    return job


def reasons(job, *options) -> dict[str, int]:
    """Return what a dry run says."""
    told = job.run("--dry-run", *options)
    assert told.returncode == 0, told.stderr
    counts = (line.split(maxsplit=1) for line in told.stdout.splitlines())
    return {reason: int(count.replace(",", "")) for count, reason in counts}


def times(job) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in job.out.rglob("*.dcm")}


def test_a_second_run_converts_nothing(done):
    before = times(done)
    assert reasons(done) == {"done": 40}
    again = done.run()
    assert again.returncode == 0
    assert "40 of 40 rows converted (40 of them before)" in again.stdout
    assert times(done) == before
    report = done.report()
    assert (report["attempt"] == 1).all()
    assert (report["reason"] == "new").all()


def test_a_dry_run_writes_nothing(job_of):
    job = job_of(5)
    assert reasons(job) == {"new": 5}
    assert not job.out.exists()


def change_cell(job):
    job.lines[3] = job.lines[3].replace(",A^B,", ",A^B,").replace("CHEST", "ABDOMEN").replace(",1,1,", ",1,77,")
    job.write_manifest()


def change_image(job):
    name = job.lines[3].split(",")[0]
    (job.data / name).write_bytes((job.data / job.lines[5].split(",")[0]).read_bytes())


def touch_image(job):
    os.utime(job.data / job.lines[3].split(",")[0], ns=(1, 1))


def output_of(job, line: int):
    return job.out / (job.lines[line].split(",")[0].rpartition(".")[0] + ".dcm")


def remove_output(job):
    output_of(job, 3).unlink()


def truncate_output(job):
    path = output_of(job, 3)
    path.write_bytes(path.read_bytes()[:-2])


def flip_output(job):
    path = output_of(job, 3)
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_cell, "metadata changed"),
        (change_image, "source changed"),
        (touch_image, "source changed"),
        (remove_output, "output missing"),
        (truncate_output, "output altered"),
        (flip_output, "output altered"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_one_change_runs_exactly_its_row_again_and_says_why(change, reason, done, reference, goes_on):
    change(done)
    # A cell may belong to the series, so the row gets a series of its own.
    assert reasons(done) == {"done": 39, reason: 1}
    before = times(done)
    report = goes_on(done, reference_of_now(done), code=0)
    again = report[report["attempt"] == 2]
    assert list(again["line"]) == [4]
    assert list(again["reason"]) == [reason]
    after = times(done)
    assert {path for path in after if after[path] != before.get(path)} <= {str(output_of(done, 3))}
    del reference


def reference_of_now(job) -> dict[str, str]:
    """Return the digests of a fresh run of the job as it is now."""
    out = job.folder.parent / f"{job.folder.name}-fresh"
    assert job.run("--backend", "sequential", out=out).returncode == 0
    digests = job.stored(out)
    shutil.rmtree(out)
    return digests


def test_a_changed_option_runs_exactly_the_rows_again_that_it_changes(done, goes_on):
    assert reasons(done, "--transfer-syntax", "implicit") == {"settings changed": 40}
    assert reasons(done, "--set", "InstitutionName=Here") == {"metadata changed": 40}
    assert reasons(done, "--n-jobs", 1, "--chunk-size", 3, "--no-fsync") == {"done": 40}
    assert done.run("--set", "InstitutionName=Here").returncode == 0
    assert reasons(done) == {"metadata changed": 40}
    goes_on(done, reference_of_now(done))


def test_a_copied_output_folder_is_known_by_its_content(done):
    moved = done.out.with_name("copied")
    shutil.copytree(done.out, moved)
    done.out = moved
    assert reasons(done) == {"done": 40}


def test_reordered_split_and_extended_manifests_convert_only_what_is_new(done, reference, goes_on):
    before = times(done)
    everything = list(done.lines)
    done.lines = [everything[0], *reversed(everything[1:])]
    done.write_manifest()
    assert reasons(done) == {"done": 40}
    goes_on(done, reference(done))
    for part in (everything[1::2], everything[2::2]):  # split: the other half is an orphan meanwhile
        done.lines = [everything[0], *part]
        done.write_manifest()
        assert reasons(done)["done"] == 20
        told = done.run()
        assert "outputs of rows that are no longer in the manifest: 20, as " in told.stderr
    name = "0/extra.png"
    (done.data / name).write_bytes((done.data / everything[2].split(",")[0]).read_bytes())
    done.lines = [everything[0], done.line(name, 500), *everything[1:]]
    done.write_manifest()
    assert reasons(done) == {"done": 40, "new": 1}
    goes_on(done, reference(done))
    after = times(done)
    assert {path: after[path] for path in before} == before, "a row was converted again"


def test_rows_gone_from_the_manifest_are_orphans_until_pruned(done, reference):
    gone = [output_of(done, line) for line in (1, 2)]
    done.lines[1:3] = []
    done.write_manifest()
    assert reasons(done) == {"done": 38, "gone from the manifest": 2}
    kept = done.run()
    assert "outputs of rows that are no longer in the manifest: 2, as " in kept.stderr
    assert all(path.exists() for path in gone)
    pruned = done.run("--prune")
    assert "outputs of rows that are no longer in the manifest removed: 2" in pruned.stderr
    assert not any(path.exists() for path in gone)
    assert done.stored() == reference(done)
    assert "no longer in the manifest" not in done.run().stderr


def test_a_row_whose_output_changes_leaves_no_old_file(done):
    names = [line.split(",")[0] for line in done.lines[1:]]
    outputs = [name.rpartition(".")[0] + ".dcm" for name in names]
    outputs[0], outputs[1] = outputs[1], outputs[0]  # swapped, so that neither may be taken for old
    outputs[2] = "elsewhere/new.dcm"
    done.lines = [
        f"{done.lines[0]},output",
        *(f"{line},{out}" for line, out in zip(done.lines[1:], outputs, strict=True)),
    ]
    done.write_manifest()
    assert reasons(done) == {"done": 37, "metadata changed": 3}
    assert done.run().returncode == 0
    assert done.stored() == reference_of_now(done)


def test_a_row_whose_uid_changes_leaves_no_old_file_in_the_uid_layout(job_of):
    job = job_of(10)
    assert job.run("--layout", "uid").returncode == 0
    old = job.stored()
    job.lines[4] = job.lines[4].replace(",20230102,", ",20230103,")
    job.write_manifest()
    assert job.run("--layout", "uid").returncode == 0
    new = job.stored()
    assert len(new) == 10
    assert len(set(old) - set(new)) == 1


def test_a_row_that_fails_now_keeps_its_earlier_output_and_is_not_tried_again_unchanged(done, reference):
    whole = reference(done)
    source = done.data / done.lines[3].split(",")[0]
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    source.write_bytes(b"broken")
    failed = done.run()
    assert failed.returncode == 1
    assert "1 failed (1 keeps its earlier output)" in failed.stdout
    assert done.stored() == whole
    assert done.report()["earlier_source_sha256"].dropna().tolist() == [before]
    assert reasons(done) == {"done": 39, "failed before, unchanged": 1}
    assert reasons(done, "--no-retry-failed") == {"done": 39, "failed before, unchanged": 1}
    assert reasons(done, "--retry-failed") == {"done": 39, "failed before": 1}
    for options, attempt, reason in (
        ((), 2, "failed before, unchanged"),
        (("--no-retry-failed",), 2, "failed before, unchanged"),
        (("--retry-failed",), 3, "failed before"),
    ):
        again = done.run(*options)
        assert again.returncode == 1
        assert ("not tried again" in again.stderr) == (attempt == 2)
        row = done.report().query("status == 'failed'").iloc[0]
        assert (row["attempt"], row["reason"]) == (attempt, reason)
        assert row["earlier_source_sha256"] == before
    source.write_bytes(b"broken otherwise")
    assert reasons(done) == {"done": 39, "failed before": 1}
    assert reasons(done, "--no-retry-failed") == {"done": 39, "failed before, left": 1}
    assert done.stored() == whole


def damage_truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_empty(path):
    path.write_bytes(b"")


def damage_delete(path):
    path.unlink()


def damage_newer(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def damage_garbage(path):
    path.write_bytes(random.Random(1).randbytes(5000))


@pytest.mark.parametrize("damage", [damage_truncate, damage_empty, damage_delete, damage_newer, damage_garbage])
def test_a_damaged_ledger_is_refused_and_rebuilt_without_a_conversion(damage, done, reference, goes_on):
    whole, before = reference(done), times(done)
    damage(done.out / ".bulkdcm/ledger.sqlite")
    refused = done.run()
    assert refused.returncode == 4, refused.stderr
    assert "Traceback" not in refused.stderr
    assert "rebuild" in refused.stderr or "newer" in refused.stderr
    truncate_output(done)
    rebuilt = done.rebuild()
    assert rebuilt.returncode == 1, "one output is not what it should be"
    assert "39 of 40 rows converted, 1 pending" in rebuilt.stdout
    refused = done.run()
    assert refused.returncode == 3, "the file isn't what was written: it may be anybody's"
    assert "1 file in --out that no ledger knows" in refused.stderr
    assert reasons(done, "--overwrite") == {"done": 39, "new": 1}
    goes_on(done, whole, "--overwrite")
    after = times(done)
    assert {path for path in after if after[path] != before[path]} == {str(output_of(done, 3))}


@pytest.mark.parametrize("seed", range(6))
def test_a_flipped_bit_in_the_ledger_never_makes_a_row_done(seed, done, reference, goes_on):
    path = done.out / ".bulkdcm/ledger.sqlite"
    data = bytearray(path.read_bytes())
    choose = random.Random(seed)
    for _ in range(3):
        data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)
    path.write_bytes(data)
    output_of(done, 3).unlink()  # the ledger may not say that this is done
    again = done.run()
    if again.returncode:
        assert again.returncode == 4, again.stderr
        # 0 where the damage was met only after the row had been converted anew
        assert done.rebuild().returncode == (0 if output_of(done, 3).exists() else 1)
    goes_on(done, reference(done))


def test_left_over_temporary_files_are_removed_and_only_ours(done, goes_on, reference):
    ours = done.out / "0/.123-456.bulkdcm-tmp"
    foreign = [done.out / "0/notes.bulkdcm-tmp", done.out / "0/.other.tmp"]
    for path in [ours, *foreign]:
        path.write_bytes(b"half")
    connection = sqlite3.connect(done.out / ".bulkdcm/ledger.sqlite")
    connection.execute("UPDATE fact SET value = 'running' WHERE name = 'state'")
    connection.commit()
    connection.close()
    assert done.run().returncode == 0
    assert not ours.exists()
    assert all(path.exists() for path in foreign)
    foreign[0].unlink()
    goes_on(done, reference(done))


def test_another_layout_moves_every_output_and_leaves_none_behind(done):
    whole = done.stored()
    again = done.run("--layout", "uid")
    assert again.returncode == 0, again.stderr
    moved = done.stored()
    assert sorted(moved.values()) == sorted(whole.values())
    assert not set(moved) & set(whole)
    back = done.run()
    assert back.returncode == 0, back.stderr
    assert done.stored() == whole
