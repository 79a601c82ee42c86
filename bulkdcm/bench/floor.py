"""The honest floor: processes that do for every image only what a conversion can't do without.

They read it, hash it, decode it with the fastest exact decoder (or keep a JPEG as it is), write 2 kB and the pixels to a
temporary name, hash what they wrote, and rename it. There is no manifest, no DICOM, no ledger and no report: run as a
script, with LIST, OUT and WORKERS, this file is the least that a whole process may take for the paths in LIST. It imports
nothing of the package.
"""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

kornia: Any
try:
    from kornia_rs import io as kornia
except ImportError:  # Pillow then decodes PNG, too
    kornia = None

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.process import BaseProcess

_HEAD = bytes(2000)
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_MODES = {0: "mono", 2: "rgb", 6: "rgba"}


def seconds_of(sources: Sequence[str], out: Path, workers: int) -> float:
    """Return the wall time of the floor for some images, as a whole process from its start to its exit.

    Parameters
    ----------
    sources
        Paths of images.
    out
        A new folder for what it writes.
    workers
        Processes.

    Notes
    -----
    What it can't decode it writes as it is.
    """
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "list")
        listed.write_text("\0".join(sources), encoding="utf-8", errors="surrogateescape")
        began = time.perf_counter()
        command = [sys.executable, "-P", __file__, str(listed), str(out), str(workers)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # our own
        return time.perf_counter() - began


def _pixels(data: bytes) -> Any:
    """Return an image's pixels; the bytes of a JPEG, and of what is no image."""
    try:
        return _decoded(data)
    except Exception:  # noqa: BLE001  # whatever a decoder says of it, there is nothing to decode
        return data


def _decoded(data: bytes) -> Any:
    if data.startswith(_JPEG):
        return data
    columns, rows = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if kornia and data.startswith(_PNG) and data[25] in _MODES and data[24] in {8, 16}:
        decode = kornia.decode_image_png_u8 if data[24] == 8 else kornia.decode_image_png_u16
        return memoryview(decode(data, (rows, columns), _MODES[data[25]])).cast("B")
    from PIL import Image  # noqa: PLC0415  # only where it is needed

    return Image.open(io.BytesIO(data)).tobytes()


def work(sources: Sequence[str], out: str, first: int, step: int) -> None:
    """Do every `step`th of the images, from the `first` on, in this process."""
    for number in range(first, len(sources), step):
        descriptor = os.open(sources[number], os.O_RDONLY | getattr(os, "O_BINARY", 0))
        parts = []
        while part := os.read(descriptor, 1 << 30):
            parts.append(part)
        os.close(descriptor)
        data = b"".join(parts)
        hashlib.sha256(data).hexdigest()
        pixels = _pixels(data)
        target = f"{out}/{number // 1000}/{number % 1000}.dcm"
        with open(f"{target}.tmp", "wb", buffering=0) as file:  # noqa: PTH123  # Path is slower
            file.writelines((_HEAD, pixels))
        digest = hashlib.sha256(_HEAD)
        digest.update(pixels)
        digest.hexdigest()
        os.rename(f"{target}.tmp", target)  # noqa: PTH104  # as above


def main(listed: str, out: str, workers: int) -> int:
    """Do it; return the exit code."""
    sources = Path(listed).read_text(encoding="utf-8", errors="surrogateescape").split("\0")
    for number in range(-(-len(sources) // 1000)):
        Path(out, str(number)).mkdir(parents=True)
    # From Python 3.14 on Linux's processes, too, start anew, which takes longer than most runs of the floor.
    begun: Callable[..., BaseProcess] = multiprocessing.Process
    if sys.platform == "linux":
        begun = multiprocessing.get_context("fork").Process
    running = [begun(target=work, args=(sources, out, n, workers)) for n in range(1, workers)]
    for process in running:
        process.start()
    work(sources, out, 0, workers)
    for process in running:
        process.join()
    return max((abs(process.exitcode or 0) for process in running), default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
