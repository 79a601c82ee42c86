"""One good file to one damaged one, the same for the same number."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_ODD = (0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF)
_PNG = b"\x89PNG\r\n\x1a\n"


def mutant(seeds: Sequence[bytes], number: int, seed: int) -> bytes:
    """Return the mutant of a number.

    Parameters
    ----------
    seeds
        Good files.
    number
        Which of the mutants.
    seed
        Of the whole series.
    """
    rng = np.random.default_rng((seed, number))
    data = bytearray(seeds[int(rng.integers(len(seeds)))])
    for _ in range(int(rng.choice((1, 1, 1, 2, 3, 8)))):
        _harm(data, seeds, rng)
    if data.startswith(_PNG) and rng.random() < 0.7:
        return _with_checksums(bytes(data))
    return bytes(data)


def _harm(data: bytearray, seeds: Sequence[bytes], rng: np.random.Generator) -> None:
    size = max(1, len(data))
    # Headers decide most: half of the harm is done in the first part of a file.
    at = int(rng.integers(size)) if rng.random() < 0.5 else int(rng.integers(min(size, 700)))
    run = int(rng.integers(1, 40))
    kind = int(rng.integers(10))
    if kind == 0:
        data[at : at + 1] = bytes([(data[at] if at < len(data) else 0) ^ 1 << int(rng.integers(8))])
    elif kind == 1:
        data[at : at + 1] = bytes([int(rng.choice(_ODD))])
    elif kind == 2:
        data[at : at + 1] = bytes([int(rng.integers(256))])
    elif kind == 3:
        del data[at : at + run]
    elif kind == 4:
        data[at:at] = rng.bytes(run)
    elif kind == 5:
        data[at : at + run] = bytes(run)
    elif kind == 6:
        data[at:at] = data[at : at + run]
    elif kind == 7:
        length = int(rng.choice((2, 4)))
        value = int(rng.integers(0, 2 ** int(rng.integers(1, 8 * length + 1))))
        data[at : at + length] = value.to_bytes(length, "big" if rng.random() < 0.5 else "little")
    elif kind == 8:
        del data[at:]
        if rng.random() < 0.5:
            data += b"\xff\xd9"
    else:
        other = seeds[int(rng.integers(len(seeds)))]
        data[at : at + run] = other[at : at + run]


def _with_checksums(data: bytes) -> bytes:
    """Return a PNG with the CRC of each chunk put right, so that the harm goes deeper."""
    parts, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 12 + length
        if end > len(data):
            break
        parts += [data[at : end - 4], zlib.crc32(data[at + 4 : end - 4]).to_bytes(4, "big")]
        at = end
    return b"".join([*parts, data[at:]])
