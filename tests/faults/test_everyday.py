"""What happens every day to folders and shares: outputs and sources outlive it, however often it happens."""

from __future__ import annotations

import hashlib
import os
import random
import shutil

import pytest

ROUNDS = [3, pytest.param(25, marks=pytest.mark.long)]


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in {".csv", ".parquet", ".json"} and ".bulkdcm" not in path.parts
    }


@pytest.fixture
def counted(capsys):
    """Return a function that prints what was done, and how many files were lost by it."""

    def say(what: str, times: int, files: int, lost: int) -> None:
        with capsys.disabled():
            print(f"\n  {what}: {times} times, {files} files, {lost} files lost or changed")
        assert not lost

    return say


def lost(before: dict[str, str], now: dict[str, str]) -> int:
    return sum(now.get(name) != digest for name, digest in before.items())


@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_share_that_disappears_between_runs(rounds, job_of, reference, counted):
    job = job_of(60)
    whole = reference(job)
    assert job.run().returncode == 0
    choose, missing = random.Random(3), 0
    folders = [path for path in sorted(job.data.iterdir()) if path.is_dir()]
    for _ in range(rounds):
        away = choose.sample(folders, choose.randrange(1, len(folders) + 1))
        for folder in away:
            folder.rename(job.folder / f"away-{folder.name}")
            if choose.random() < 0.5:
                folder.mkdir()  # the mount point stays
        done = job.run(*choose.choice([(), ("--max-missing", 1), ("--skip-invalid",), ("--set", "InstitutionName=X")]))
        assert done.returncode in {1, 3}, done.stderr
        missing += lost(whole.keys() and dict.fromkeys(whole, ""), dict.fromkeys(job.stored(), ""))
        for folder in away:
            shutil.rmtree(folder, ignore_errors=True)
            (job.folder / f"away-{folder.name}").rename(folder)
    assert job.run().returncode == 0
    counted("a share disappeared between runs", rounds, len(whole), missing + lost(whole, job.stored()))


@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_foreign_output_folder(rounds, job_of, reference, counted):
    job = job_of(30)
    whole = sorted(reference(job))
    choose, gone, files = random.Random(4), 0, 0
    for _ in range(rounds):
        shutil.rmtree(job.out, ignore_errors=True)
        for name in choose.sample(whole, choose.randrange(1, 9)):
            path = job.out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            how = choose.randrange(3)
            if how == 0:
                path.write_bytes(choose.randbytes(99))
            elif how == 1:
                path.symlink_to(job.manifest)
            else:
                os.link(job.data / job.lines[1].split(",")[0], path)
        before = {**digests(job.out), **digests(job.data)}
        files += len(before)
        done = job.run("--layout", "mirror")
        assert done.returncode == 3, done.stderr
        assert not (job.out / ".bulkdcm").exists()
        gone += lost(before, {**digests(job.out), **digests(job.data)})
    counted("converted into a foreign folder", rounds, files, gone)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_restamping_in_place(rounds, job_of, reference, counted):
    job = job_of(12)
    whole = reference(job)
    assert job.run().returncode == 0
    names = sorted(whole)
    manifest = job.folder / "again.csv"
    choose, gone = random.Random(5), 0
    for _ in range(rounds):
        picked = choose.sample(names, 6)
        manifest.write_text("source\n" + "".join(f"{name}\n" for name in picked), encoding="utf-8")
        options = choose.choice([(), ("--overwrite",), ("--prune",), ("--overwrite", "--prune", "--skip-invalid")])
        job.manifest, kept = manifest, job.manifest
        done = job.run("--images", job.out, *options)
        job.manifest = kept
        assert done.returncode in {1, 3}, done.stderr
        gone += lost(whole, job.stored())
    manifest.unlink()
    counted("re-stamped in place", rounds, len(whole), gone)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_two_outputs_never_share_a_ledger(rounds, job_of, reference, counted, tmp_path):
    job = job_of(20)
    whole = reference(job)
    ledger = tmp_path / "data" / "shared.sqlite"
    assert job.run("--ledger", ledger).returncode == 0
    gone = 0
    for number in range(rounds):
        other = tmp_path / f"other-{number}"
        done = job.run("--ledger", ledger, out=other)
        assert done.returncode == 4, done.stderr
        gone += lost(whole, job.stored())
    assert job.run("--ledger", ledger).returncode == 0
    counted("two outputs with one ledger", rounds, len(whole), gone + lost(whole, job.stored()))


@pytest.mark.parametrize("apart", [False, True], ids=["ledger inside", "ledger apart"])
@pytest.mark.parametrize("rounds", ROUNDS)
def test_moved_outputs_go_on(rounds, apart, job_of, reference, counted, tmp_path):
    job = job_of(20)
    whole = reference(job)
    options = ["--ledger", tmp_path / "data" / "l.sqlite"] if apart else []
    assert job.run(*options).returncode == 0
    gone = 0
    for number in range(rounds):
        moved = tmp_path / f"moved-{number}"
        job.out.rename(moved)
        job.out = moved
        done = job.run(*options)
        assert done.returncode == 0, done.stderr
        assert "(20 of them before)" in done.stdout
        gone += lost(whole, job.stored())
    counted("moved outputs", rounds, len(whole), gone)


def test_files_that_a_killed_run_placed_are_replaced_after_a_change(job_of):
    """They are not in the ledger yet, but their names were claimed."""
    job = job_of(300)
    with job.start("--chunk-size", 64) as process:
        while process.poll() is None and len(list(job.out.rglob("*.dcm"))) < 20:
            pass
        process.kill()
        process.wait()
    placed = len(job.stored())
    recorded = sum(row[1] == "converted" for row in job.ledger_rows())
    assert placed > recorded, "nothing was placed that isn't recorded"
    done = job.run("--set", "InstitutionName=Elsewhere", "--set", "Manufacturer=M")
    assert done.returncode == 0, done.stderr
    assert len(job.stored()) == 300
