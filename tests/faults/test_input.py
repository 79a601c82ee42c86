"""Images that lie about their size, are damaged, or are no files at all; and outputs that lead elsewhere."""

from __future__ import annotations

import io
import os
import socket
import stat
import struct
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
from PIL import Image

import bulkdcm
from bulkdcm.errors import ReadError
from bulkdcm.stores import Local
from tests.conformance.readers import native_pixels
from tests.faults.conftest import processes_of
from tests.streams_png_codec import chunk

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY_LIMIT_MB = 500
# What a worker has before its first row, and what the run itself takes.
BASE_MB = 300


def png(columns: int, rows: int, depth: int, color: int, *extra: bytes, size_bytes: int = 100_000) -> bytes:
    """Return a PNG that asks for much and holds nothing."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, depth, color, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + b"".join(extra)
        + chunk(b"IDAT", zlib.compress(bytes(size_bytes)))
        + chunk(b"IEND", b"")
    )


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def whole_bomb() -> bytes:
    """Return 13000 x 13000 pixels of 8 bytes each, 1.4 GB, every one there, in 1.4 MB."""
    packed, row = zlib.compressobj(9), bytes(1 + 13_000 * 8)
    data = b"".join([*(packed.compress(row) for _ in range(13_000)), packed.flush()])
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 13_000, 13_000, 16, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg_of(columns: int, rows: int) -> bytes:
    """Return a progressive JPEG, which has to be decoded, whose header asks for more than its scans hold."""
    data = bytearray(saved(Image.new("L", (64, 64)), "JPEG", progressive=True))
    at = data.index(b"\xff\xc2") + 5
    data[at : at + 4] = struct.pack(">HH", rows, columns)
    return bytes(data)


def bombs() -> dict[str, bytes]:
    """Return files by name, each of which would take more memory than there is."""
    return {
        "sides.png": png(60_000, 60_000, 8, 0),
        "deep.png": png(13_000, 13_000, 16, 6),
        "whole.png": whole_bomb(),
        "palette.png": png(13_000, 13_000, 8, 3, chunk(b"PLTE", bytes(768))),
        "tall.png": png(1, 2**31 - 1, 8, 0),
        "profile.png": png(9, 9, 8, 2, chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(400_000_000), 9)), size_bytes=9 * 28),
        "large.jpg": jpeg_of(65_500, 65_500),
        "half.jpg": jpeg_of(13_000, 13_000),
        "wide.gif": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + b"\x08\x01\0\0;",
        "empty.bmp": b"BM" + struct.pack("<IHHI", 100, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0),
        "real.webp": saved(Image.new("RGB", (16_383, 16_383)), "WEBP", lossless=True, method=0),
    }  # fmt: skip


def test_bombs_fail_alone_and_memory_stays_under_the_cap(job_of, reference):
    job = job_of(12)
    whole = reference(job)
    (job.data / "bomb").mkdir()
    files = bombs()
    for name, data in files.items():
        (job.data / "bomb" / name).write_bytes(data)
        job.lines.append(job.line(f"bomb/{name}", len(job.lines)))
    job.write_manifest()
    with job.start("--memory-limit", MEMORY_LIMIT_MB) as process:
        peak_mb = 0.0
        while process.poll() is None:
            peak_mb = max([peak_mb, *map(peak_memory_mb, processes_of(process.pid))])
            time.sleep(0.02)
        assert process.returncode == 1, process.stderr.read()
    report = job.report()
    failed = report[report["status"] == "failed"]
    assert set(failed["source"]) == {f"bomb/{name}" for name in files} - {"bomb/profile.png"}
    assert set(failed["stage"]) == {"decode"}, failed[["source", "stage", "message"]].to_string()
    assert set(failed["error"]) == {"PixelError", "MemoryError"}
    stored = job.stored()
    assert (job.out / "bomb/profile.dcm").stat().st_size < 10_000  # the profile is no profile, and left out
    assert stored.pop("bomb/profile.dcm")
    assert stored == whole
    assert MEMORY_LIMIT_MB / 5 < peak_mb < MEMORY_LIMIT_MB + BASE_MB


def peak_memory_mb(pid: int) -> float:
    """Return the most memory a process ever had, so that looking now and then is enough."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return 0.0


@pytest.mark.parametrize("count", [120, pytest.param(3000, marks=pytest.mark.long)])
def test_damaged_images_convert_exactly_or_fail_alone(count, job_of, reference):
    job = job_of(6)
    whole = reference(job)
    rng = np.random.default_rng(count)
    pixels = rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)
    good = [imagecodecs.png_encode(pixels), imagecodecs.png_encode(pixels[..., 0].astype(np.uint16) * 257)]
    good += [saved(Image.fromarray(pixels), form) for form in ("JPEG", "GIF", "TIFF", "BMP", "WEBP")]
    good += [saved(Image.fromarray(pixels), "JPEG", progressive=True)]
    (job.data / "fuzz").mkdir()
    for number in range(count):
        (job.data / f"fuzz/{number}").write_bytes(damaged(good[number % len(good)], rng))
        job.lines.append(f"{job.line(f'fuzz/{number}', 100 + number)}")
    job.write_manifest()
    done = job.run()
    assert done.returncode == 1, done.stderr
    report = job.report()
    assert len(report) == len(job.lines) - 1
    failed = report[report["status"] == "failed"]
    assert set(failed["stage"]) == {"decode"}, failed[failed["stage"] != "decode"][["source", "stage", "message"]]
    stored = job.stored()
    assert {path: stored[path] for path in whole} == whole
    for row in report[(report["status"] == "converted") & report["source"].str.startswith("fuzz/")].itertuples():
        data = (job.data / row.source).read_bytes()
        if data.startswith(b"\x89PNG"):  # its checksums let nothing through that is not the image
            expected = imagecodecs.png_decode(data)
            np.testing.assert_array_equal(native_pixels(job.out / row.output), expected)


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` with some bytes flipped, a piece cut out, doubled or zeroed, or its end missing."""
    made, at = bytearray(data), int(rng.integers(2, len(data)))
    length = int(rng.integers(1, 64))
    match int(rng.integers(5)):
        case 0:
            for where in rng.integers(2, len(data), 3):
                made[where] ^= 1 << int(rng.integers(8))
        case 1:
            del made[at : at + length]
        case 2:
            made[at:at] = made[at : at + length]
        case 3:
            made[at : at + length] = bytes(len(made[at : at + length]))
        case 4:
            del made[at:]
    return bytes(made)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")


def unreadable(path: Path) -> None:
    path.write_bytes(b"x")
    path.chmod(0)
    if os.access(path, os.R_OK):
        path.unlink()
        path.symlink_to(path.name)  # root reads everything, but not a link to itself


@pytest.mark.parametrize("make", [fifo, unix_socket, device, unreadable, Path.mkdir])
def test_what_is_no_readable_file_fails_its_row_at_once(make, job_of, reference):
    job = job_of(6)
    whole = reference(job)
    make(job.data / "odd.png")
    job.lines.append(job.line("odd.png", 90))
    job.write_manifest()
    done = job.run(timeout=180)
    if done.returncode == 3:  # the preflight saw it
        assert "odd.png" in done.stderr
        done = job.run("--skip-invalid", timeout=180)
    assert done.returncode == 1, done.stderr
    report = job.report()
    assert list(report["source"][report["status"] == "failed"]) == ["odd.png"]
    assert job.stored() == whole


@pytest.mark.parametrize("swapped_before", ["open", "fstat", "readlink"])
def test_a_link_swapped_during_the_run_never_leads_outside(swapped_before, tmp_path, monkeypatch):
    """What was opened is what is checked: another file at the name is either refused or not seen."""
    root, outside = tmp_path / "root", tmp_path / "secret"
    root.mkdir()
    outside.write_bytes(b"secret")
    (root / "inside").write_bytes(b"image")
    name = root / "image"

    def point_to(target: Path) -> None:
        (root / "next").symlink_to(target)
        (root / "next").replace(name)

    def swapping(call: Callable[..., object]) -> Callable[..., object]:
        def swapped(*arguments: object, **options: object) -> object:
            point_to(outside)
            return call(*arguments, **options)

        return swapped

    point_to(root / "inside")
    if swapped_before != "open":
        with monkeypatch.context() as patched:
            patched.setattr(os, swapped_before, swapping(getattr(os, swapped_before)))
            assert Local(root=str(root.resolve())).read("image").data == b"image"
    point_to(root / "inside")
    monkeypatch.setattr(os, "open", swapping(os.open))
    with pytest.raises(ReadError, match="outside"):
        Local(root=str(root.resolve())).read("image")


def test_nothing_is_written_through_a_link_that_leaves_the_output(job_of):
    job = job_of(14)
    elsewhere = job.folder / "elsewhere"
    elsewhere.mkdir()
    job.out.mkdir()
    (job.out / "3").symlink_to(elsewhere)  # where the rows of patient 3 belong
    done = job.run()
    assert done.returncode == 1, done.stderr
    report = job.report()
    failed = report[report["status"] == "failed"]
    assert set(failed["source"].str[:2]) == {"3/"}
    assert set(failed["stage"]) == {"store"}
    assert failed["message"].str.contains("outside the output folder").all()
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize(
    ("first", "second"),
    [("a/x.dcm", "A/X.dcm"), ("a/é.dcm", "a/e\N{COMBINING ACUTE ACCENT}.dcm"), ("ß.dcm", "SS.dcm"), ("a.dcm", "a.dcm")],
)
def test_outputs_that_one_file_system_takes_for_one_are_refused_before_the_run(first, second, job_of):
    job = job_of(2)
    job.lines = ["output," + job.lines[0], f"{first},{job.lines[1]}", f"{second},{job.lines[2]}"]
    job.write_manifest()
    problems = [str(problem) for problem in bulkdcm.check(job.manifest) if problem.severity == "error"]
    assert len(problems) == 1
    assert problems[0].startswith("line 3, column output")
    assert "line 2 goes to the same place" in problems[0]
