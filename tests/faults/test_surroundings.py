"""What lies around a run, as a system or people may leave it: locks, folders, links, ledgers, reports, shared memory."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.conftest import STRACE_ERRORS, need_strace, processes_of

RUN_FOLDER = ".bulkdcm"
USUAL = ("--backend", "sequential")  # workers only where they matter: they take time
WORKERS = ("--backend", "loky")


def refused(done, code: int, *words: str) -> None:
    """Hold a run to its exit code, its words and no traceback."""
    assert done.returncode == code, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def failing(call: str, error: str, path: Path | None = None, when: str = "") -> tuple[str, ...]:
    need_strace()
    at = ("-P", str(path)) if path else ()
    return (*STRACE_ERRORS, *at, "-e", f"trace={call}", "-e", f"inject={call}:error={error}{when}")


@pytest.mark.parametrize("error", ["ENOLCK", "EOPNOTSUPP"])
def test_a_file_system_without_locks_is_not_taken_for_another_run(error, job_of, reference, goes_on):
    job = job_of(6)
    refused(job.run(prefix=failing("flock", error)), 4, "can't lock files", "another file system")
    goes_on(job, reference(job))


@pytest.mark.parametrize("error", ["EAGAIN", "EACCES"])
def test_a_lock_that_is_held_is_another_run(error, job_of):
    refused(job_of(6).run(prefix=failing("flock", error)), 75, "another run")


def a_file(path, _):
    path.write_text("mine", encoding="utf-8")


def a_link(path, target):
    target.mkdir()
    path.symlink_to(target)


def a_dangling_link(path, target):
    path.symlink_to(target)


def a_folder_of_another(path, _):
    path.mkdir()
    try:
        os.chown(path, 12345, 12345)
    except PermissionError:
        pytest.skip("giving a folder to another user needs root")


@pytest.mark.parametrize("make", [a_file, a_link, a_dangling_link, a_folder_of_another])
def test_a_run_s_own_folder_that_no_run_made_is_refused(make, job_of, tmp_path):
    job = job_of(4)
    job.out.mkdir()
    make(job.out / RUN_FOLDER, tmp_path / "elsewhere")
    before = sorted(tmp_path.rglob("*"))
    refused(job.run(), 4, str(job.out / RUN_FOLDER), "use another --out")
    assert sorted(tmp_path.rglob("*")) == before, "something was followed"


def linked(path, target):
    path.symlink_to(target)


def linked_hard(path, target):
    path.hardlink_to(target)


def a_pipe(path, _):
    os.mkfifo(path)


def a_folder(path, _):
    path.mkdir()


@pytest.mark.parametrize("name", ["lock", "lock.holder", "ledger-exists", "ledger.sqlite", "ledger.sqlite-wal"])
@pytest.mark.parametrize("make", [linked, linked_hard, a_pipe, a_folder])
def test_a_file_of_the_run_that_is_something_else_is_refused_and_no_link_followed(make, name, job_of, tmp_path):
    job = job_of(4)
    (job.out / RUN_FOLDER).mkdir(parents=True)
    target = tmp_path / "precious"
    target.write_text("keep me", encoding="utf-8")
    make(job.out / RUN_FOLDER / name, target)
    refused(job.run(timeout=180), 4, str(job.out / RUN_FOLDER / name), "Remove it")
    assert target.read_text(encoding="utf-8") == "keep me"


def test_a_dangling_marker_makes_no_file_elsewhere(job_of, tmp_path):
    job = job_of(4)
    (job.out / RUN_FOLDER).mkdir(parents=True)
    (job.out / RUN_FOLDER / "ledger-exists").symlink_to(tmp_path / "made")
    refused(job.run(), 4, "a symbolic link")
    assert not (tmp_path / "made").exists()


CALLS = [
    ("mkdir", ""),
    ("openat", "lock"),
    ("openat", "lock.holder"),
    ("write", "lock.holder"),
    ("openat", "ledger.sqlite"),
    ("openat", "ledger.sqlite-wal"),
]


@pytest.mark.parametrize(("error", "code"), [("ENOSPC", 5), ("EDQUOT", 5), ("EROFS", 5), ("EACCES", 4)])
@pytest.mark.parametrize(("call", "name"), CALLS, ids=lambda part: part or "folder")
def test_a_disk_that_refuses_the_run_s_own_files(call, name, error, code, job_of, reference, goes_on):
    job = job_of(4)
    job.out.mkdir()
    path = job.out / RUN_FOLDER / name
    done = job.run(prefix=failing(call, error, path))
    if name == "ledger.sqlite-wal":  # SQLite doesn't tell the reason, and beside it other files can be made
        refused(done, 4, str(job.out / RUN_FOLDER), "Check")
    else:
        refused(done, code, str(path).removesuffix("/"), "Make room" if code == 5 else "ermissions")
    assert not job.stored()
    goes_on(job, reference(job))


def test_a_ledger_s_disk_without_room_for_another_file(job_of, small_disk):
    disk = small_disk("ledger", "50M,nr_inodes=3")  # itself, the ledger and its lock
    refused(job_of(4).run("--ledger", disk / "l.sqlite"), 5, str(disk / "l.sqlite"), "No space left", "Make room")


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM", "EINVAL", "EOPNOTSUPP"])
def test_without_syncfs_each_file_is_synced(error, job_of, reference, tmp_path):
    job = job_of(6)
    log = tmp_path / "calls"
    need_strace()
    inject = (
        "strace",
        "-f",
        "-qq",
        "-y",
        "-o",
        str(log),
        "-e",
        "trace=syncfs,fsync",
        "-e",
        f"inject=syncfs:error={error}",
    )
    done = job.run(prefix=inject)
    assert done.returncode == 0, done.stderr
    assert job.stored() == reference(job)
    synced = [line for line in log.read_text(encoding="utf-8").splitlines() if "fsync(" in line]
    for output in job.stored():
        assert any(f"/{output}>" in line for line in synced), output
    assert any(f"{job.out}/0>" in line for line in synced), "no folder was synced"


def apart(job, mounts: str, *options: object, temporary: Path | None = None, cwd: Path | None = None):
    """Run the command where `mounts`, shell commands, have been done and nobody else sees it."""
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("mounts of one's own need root")
    root = str(Path(__file__).parents[2])
    environment = {**job.environment, "PYTHONPATH": os.pathsep.join([job.environment["PYTHONPATH"], root])}
    if temporary:
        environment["TMPDIR"] = str(temporary)
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{mounts} && exec "$0" "$@"', *job.command(*options)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=180,
        cwd=cwd,
    )


FULL = "mount -t tmpfs -o size=40k x {0} && (head -c 1M /dev/zero > {0}/fill || true) 2>/dev/null"
SCARCE = "mount -t tmpfs -o size=16k x {0}"
READ_ONLY = "mount -t tmpfs -o ro x {0}"


@pytest.mark.parametrize("mount", [FULL, SCARCE, READ_ONLY], ids=["full", "nearly full", "read-only"])
def test_shared_memory_that_can_t_be_used(mount, job_of, reference, goes_on):
    job = job_of(20)
    done = apart(job, mount.format("/dev/shm"), *WORKERS)
    refused(done, 5, "workers can't be started", "/dev/shm", "--backend threading")
    assert "serial mode" not in done.stderr
    done = apart(job, mount.format("/dev/shm"), "--backend", "threading")
    assert done.returncode == 0, done.stderr
    goes_on(job, reference(job), *WORKERS)


# 4 kB are enough for the file that Python tries a folder with, and not for the slots of two workers.
@pytest.mark.parametrize("mount", ["mount -t tmpfs -o size=4k x {0}", "mount -t tmpfs -o nr_inodes=2 x {0}"])
def test_a_full_folder_for_temporary_files(mount, job_of, reference, goes_on, tmp_path):
    job = job_of(20)
    whole = reference(job)
    place = tmp_path / "data" / "temporary"
    place.mkdir()
    done = apart(job, mount.format(place), *WORKERS, temporary=place)
    refused(done, 5, str(place), "TMPDIR")
    goes_on(job, whole, *WORKERS)


def test_no_folder_for_temporary_files_at_all(job_of):
    job = job_of(20)
    places = [f"mount -t tmpfs -o ro x {place}" for place in ("/tmp", "/var/tmp", "/usr/tmp") if Path(place).exists()]
    if str(job.folder).startswith(("/tmp/", "/var/tmp/")):
        # The job itself lies there: the whole tree becomes read-only but for its output.
        tree = "/" + "/".join(job.folder.parts[1:2])
        places = [f"mkdir -p {job.out} && mount --bind {job.out} {job.out} && mount --bind {tree} {tree}"]
        places.append(f"mount --rbind {job.out} {job.out} && mount -o remount,bind,ro {tree}")
        if Path("/var/tmp").exists():
            places.append("mount -t tmpfs -o ro x /var/tmp")
    done = apart(job, " && ".join(places), *WORKERS, temporary=Path("/proc/nothing"), cwd=Path("/proc"))
    refused(done, 5, "temporary", "TMPDIR")


def leavings() -> set[Path]:
    names = ("bulkdcm-slots-*", "sem.loky-*", "joblib_memmapping_folder_*", "sem.bulkdcm-*")
    return {path for place in ("/tmp", "/dev/shm") for name in names for path in Path(place).glob(name)}


def kill_session(process) -> None:
    for pid in processes_of(process.pid):
        os.kill(pid, signal.SIGKILL)
    process.wait()


def test_what_a_killed_run_left_goes_with_the_next_and_nothing_else(job_of, reference, goes_on):
    job = job_of(600)
    whole = reference(job)
    job.environment["TMPDIR"] = "/tmp"
    before = leavings()  # of others, some of which may have had the same number
    with job.start("--chunk-size", 2, *WORKERS) as process:
        while process.poll() is None and len(list(job.out.rglob("*.dcm"))) < 20:
            time.sleep(0.005)
        kill_session(process)
    pid = str(process.pid)
    left = {path for path in leavings() - before if f"-{pid}-" in path.name or f"_{pid}_" in path.name}
    assert {path.name.split(pid)[0] for path in left} >= {"bulkdcm-slots-"}
    semaphore = Path(
        "/dev/shm", f"sem.loky-{pid}-test"
    )  # loky's tracker may have taken its own away before it was killed
    semaphore.touch()
    left.add(semaphore)
    living = Path("/tmp", f"bulkdcm-slots-{os.getpid()}-test")
    strange = Path("/tmp", f"bulkdcm-slots-{pid}-other")
    living.mkdir()
    strange.mkdir()
    try:
        os.chown(strange, 12345, 12345)
        goes_on(job, whole, *WORKERS)
        assert not left & leavings()
        assert living.exists()
        assert strange.exists() or os.geteuid() != 0
    finally:
        living.rmdir()
        shutil.rmtree(strange, ignore_errors=True)


@pytest.mark.parametrize("change", ['"host": "', '"pids": "'])
def test_what_a_run_elsewhere_left_stays(change, job_of):
    job = job_of(4)
    assert job.run().returncode == 0
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    lock = job.out / RUN_FOLDER / "lock.holder"
    earlier = lock.read_text(encoding="utf-8")
    pid = earlier.split()[1].rstrip(",")
    lock.write_text(earlier.replace(pid, str(gone.pid)).replace(change, f"{change}another"), encoding="utf-8")
    left = Path("/tmp", f"bulkdcm-slots-{gone.pid}-test")
    left.mkdir()
    job.environment["TMPDIR"] = "/tmp"
    try:
        assert job.run().returncode == 0
        assert left.exists()
    finally:
        left.rmdir()


def moved_away(out: Path) -> None:
    out.rename(out.with_name("moved"))


def removed(out: Path) -> None:
    for _ in range(50):  # a worker may make a file the while
        try:
            shutil.rmtree(out)
        except OSError:
            continue
        return


def replaced(out: Path) -> None:
    out.rename(out.with_name("moved"))
    out.mkdir()


@pytest.mark.parametrize("backend", ["loky", "sequential", pytest.param("threading", marks=pytest.mark.long)])
@pytest.mark.parametrize("apart_ledger", [False, True], ids=["", "ledger apart"])
@pytest.mark.parametrize("deed", [moved_away, removed, replaced])
def test_an_output_folder_that_goes_in_mid_run(deed, apart_ledger, backend, job_of, tmp_path):
    job = job_of(1500)
    ledger = tmp_path / "data" / "ledger.sqlite"
    options = ["--backend", backend, *(["--ledger", ledger] if apart_ledger else [])]
    with job.start(*options) as process:
        while process.poll() is None and len(list(job.out.rglob("*.dcm"))) < 30:
            time.sleep(0.005)
        deed(job.out)
        _, errors = process.communicate(timeout=180)
    assert process.returncode == 5, (process.returncode, errors)
    assert "was removed, moved or replaced" in errors
    assert "Traceback" not in errors
    assert not list(job.out.rglob("*.dcm")), "the output folder was made anew"
    if deed is replaced:
        assert not list(job.out.iterdir())
    if deed is not removed:
        moved = job.out.with_name("moved")
        connection = sqlite3.connect(ledger if apart_ledger else moved / RUN_FOLDER / "ledger.sqlite")
        for (output,) in connection.execute("SELECT output FROM outcome WHERE status = 'converted'"):
            assert (moved / output).exists(), f"{output} is called done and isn't there"
        assert not connection.execute("SELECT count(*) FROM outcome WHERE status = 'failed'").fetchone()[0]
        connection.close()


def test_one_ledger_for_two_outputs_at_once_is_refused(job_of, tmp_path):
    job = job_of(20)
    job.poison("sleep")
    ledger = tmp_path / "ledger.sqlite"
    with job.start("--chunk-size", 1, "--ledger", ledger, *WORKERS) as first:
        while first.poll() is None and not list(job.out.rglob("*.dcm")):
            time.sleep(0.01)
        refused(job.run("--ledger", ledger, out=tmp_path / "other"), 75, f"process {first.pid}, since 20", str(ledger))
        first.terminate()
        first.wait(180)


def test_one_ledger_for_two_outputs_one_after_the_other_is_refused(job_of, reference, goes_on, tmp_path):
    job = job_of(6)
    whole = reference(job)
    ledger = tmp_path / "data" / "ledger.sqlite"
    goes_on(job, whole, "--ledger", ledger)
    refused(job.run("--ledger", ledger, out=tmp_path / "other"), 4, str(job.out), "ledger of its own")
    goes_on(job, whole, "--ledger", ledger)


def test_a_ledger_follows_an_output_folder_that_is_moved(job_of, tmp_path):
    job = job_of(6)
    ledger = tmp_path / "data" / "ledger.sqlite"
    assert job.run("--ledger", ledger).returncode == 0
    first, job.out = job.out, tmp_path / "moved"
    first.rename(job.out)
    done = job.run("--ledger", ledger)
    assert done.returncode == 0, done.stderr
    assert "(6 of them before)" in done.stdout
    refused(job.run("--ledger", ledger, out=first), 4, str(job.out))


def test_a_ledger_of_an_older_release_has_no_folder_and_gets_one(job_of, tmp_path):
    job = job_of(6)
    ledger = tmp_path / "ledger.sqlite"
    assert job.run("--ledger", ledger).returncode == 0
    connection = sqlite3.connect(ledger)
    with connection:
        connection.execute("DELETE FROM fact WHERE name = 'out'")
    connection.close()
    assert "(6 of them before)" in job.run("--ledger", ledger).stdout
    refused(job.run("--ledger", ledger, out=tmp_path / "other"), 4, str(job.out))


def another_s_database(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE patients (name TEXT)")
    connection.commit()
    connection.close()


def another_s_new_database(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


@pytest.mark.parametrize("command", ["convert", "rebuild"])
@pytest.mark.parametrize(
    "make", [a_file, lambda path, _: another_s_database(path), lambda path, _: another_s_new_database(path), a_folder]
)
def test_a_file_that_is_no_ledger_is_left(make, command, job_of, tmp_path):
    job = job_of(4)
    assert job.run().returncode == 0
    path = tmp_path / "precious"
    make(path, tmp_path)
    before = path.read_bytes() if path.is_file() else None
    done = job.run("--ledger", path, command=command)
    refused(done, 4, str(path), "no ledger of bulkdcm, so it is left as it is")
    assert "start over" not in done.stderr, "its folder may hold anything"
    assert not (tmp_path / "precious.old").exists()
    assert before is None or path.read_bytes() == before


def test_rebuild_takes_the_ledger_of_a_killed_run_and_renames_no_empty_file(job_of, tmp_path):
    job = job_of(300)
    path = tmp_path / "ledger.sqlite"
    path.touch()
    with job.start("--chunk-size", 4, "--ledger", path, *WORKERS) as process:
        while process.poll() is None and len(job.stored()) < 20:
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = job.run("--ledger", path, command="rebuild")
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "ledger.sqlite.old").exists()
    for name in ("ledger.sqlite", "ledger.sqlite.old"):
        (tmp_path / name).unlink()
    path.touch()
    job.run("--ledger", path, command="rebuild")
    assert not (tmp_path / "ledger.sqlite.old").exists()
    assert path.stat().st_size


def test_rebuild_takes_a_damaged_ledger_and_keeps_every_old_one(job_of, tmp_path):
    job = job_of(4)
    path = tmp_path / "ledger.sqlite"
    assert job.run("--ledger", path).returncode == 0
    for number in ("", "2", "3"):
        path.write_bytes(path.read_bytes()[:100] + number.encode() * 5000)
        damaged = path.read_bytes()
        done = job.run("--ledger", path, command="rebuild")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / f"ledger.sqlite.old{number}").read_bytes() == damaged
