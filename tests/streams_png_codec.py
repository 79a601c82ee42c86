"""A PNG encoder of our own, so that expected pixels come from no decoder, and a strict decoder for what gets damaged."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.streams import noise

if TYPE_CHECKING:
    from collections.abc import Sequence

GRAY, RGB, PALETTE, GRAY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGB_ALPHA: 4}
_DEPTHS = {GRAY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GRAY_ALPHA: (8, 16), RGB_ALPHA: (8, 16)}
KINDS = [(color_type, depth) for color_type, depths in _DEPTHS.items() for depth in depths]
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WHOLE = ((0, 0, 1, 1),)
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
COLORS = noise(256, 3, seed=11).astype(np.uint8)
TRANSPARENT_COLORS = np.resize(np.array([0, 255, 128, 7], np.uint8), 256)


def chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def encode(samples: Any, color_type: int, depth: int, *, interlace: bool = False, **parts: Any) -> bytes:
    """Return the PNG of samples of shape (rows, columns, channels)."""
    lines = scanlines(samples, depth, interlace=interlace)
    return assemble(samples.shape, color_type, depth, [zlib.compress(lines)], interlace=interlace, **parts)


def assemble(shape: Sequence[int], color_type: int, depth: int, idats: list[bytes], *, interlace: bool = False, before: bytes = b"", after: bytes = b"") -> bytes:  # fmt: skip
    header = struct.pack(">IIBBBBB", shape[1], shape[0], depth, color_type, 0, 0, interlace)
    data = b"".join(chunk(b"IDAT", part) for part in idats)
    return SIGNATURE + chunk(b"IHDR", header) + before + data + after + chunk(b"IEND", b"")


def scanlines(samples: Any, depth: int, *, interlace: bool = False) -> bytes:
    """Return the filtered lines; the five filters take turns."""
    step = max(1, samples.shape[2] * depth // 8)
    lines = bytearray()
    for x, y, dx, dy in _ADAM7 if interlace else _WHOLE:
        part = samples[y::dy, x::dx]
        if not part.size:
            continue
        packed = _packed(part, depth).astype(int)
        above = np.zeros(packed.shape[1], int)
        for number, line in enumerate(packed):
            left, corner = (np.concatenate([np.zeros(step, int), other])[: len(line)] for other in (line, above))
            guess = _predicted(number % 5, left, above, corner)
            lines += bytes([number % 5]) + ((line - guess) % 256).astype(np.uint8).tobytes()
            above = line
    return bytes(lines)


def _packed(samples: Any, depth: int) -> Any:
    flat = samples.reshape(len(samples), -1)
    if depth == 16:
        return flat.astype(">u2").view(np.uint8)
    bits = flat[:, :, None] >> np.arange(depth)[::-1] & 1
    return np.packbits(bits.reshape(len(flat), -1).astype(np.uint8), axis=1)


def _predicted(kind: int, left: Any, above: Any, corner: Any) -> Any:
    if kind == 4:
        guess = left + above - corner
        by_left, by_above, by_corner = abs(guess - left), abs(guess - above), abs(guess - corner)
        near = np.where(by_above <= by_corner, above, corner)
        return np.where((by_left <= by_above) & (by_left <= by_corner), left, near)
    return (left * 0, left, above, (left + above) // 2)[kind]


def decode(data: bytes) -> tuple[int, int, Any, dict[bytes, bytes]]:
    """Return colour type, depth, samples and chunks; raise ValueError or zlib.error for what breaks ISO/IEC 15948."""
    chunks: dict[bytes, bytes] = {}
    at = 8
    while b"IEND" not in chunks:
        length, kind = struct.unpack(">I4s", data[at : at + 8].ljust(8, b"\0"))
        payload = data[at + 8 : at + 8 + length]
        at += length + 12
        if chunk(kind, payload)[-4:] != data[at - 4 : at] or len(payload) < length:
            raise ValueError(kind)
        chunks[kind] = (chunks.get(kind, b"") + payload) if kind == b"IDAT" else payload
    columns, rows, depth, color_type, method, filters, interlace = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if (color_type, depth) not in KINDS or method or filters or interlace > 1:
        raise ValueError(chunks[b"IHDR"])
    channels = CHANNELS[color_type]
    samples = np.zeros((rows, columns, channels), np.uint16)
    passes = [(_y, _x) for _x, _y in [(slice(x, None, dx), slice(y, None, dy)) for x, y, dx, dy in (_ADAM7 if interlace else _WHOLE)]]  # fmt: skip
    shapes = [samples[part].shape for part in passes]
    sizes = [(n, -(-m * channels * depth // 8)) for n, m, _ in shapes]
    need = sum(n * (size + 1) for n, size in sizes if n and size)
    lines = zlib.decompressobj(-15).decompress(chunks.get(b"IDAT", b"")[2:], need or 1)  # as png crates do: no Adler-32
    if len(lines) < need:
        raise ValueError(len(lines))
    for part, shape, size in zip(passes, shapes, sizes, strict=True):
        if all(size) and all(shape):
            taken, lines = lines[: size[0] * (size[1] + 1)], lines[size[0] * (size[1] + 1) :]
            samples[part] = _unpacked(_unfiltered(taken, size, max(1, channels * depth // 8)), shape, depth)
    return color_type, depth, samples, chunks


def _unfiltered(data: bytes, size: tuple[int, int], step: int) -> Any:
    lines = np.frombuffer(data, np.uint8).reshape(size[0], size[1] + 1)
    padded = np.zeros((size[0] + 1, size[1] + step), int)
    for y, line in enumerate(lines, 1):
        if line[0] > 4:
            raise ValueError(line[0])
        for x in range(step, size[1] + step, step):
            near = (padded[y, x - step : x], padded[y - 1, x : x + step], padded[y - 1, x - step : x])
            padded[y, x : x + step] = (line[x - step + 1 : x + 1] + _predicted(line[0], *near)) % 256
    return padded[1:, step:].astype(np.uint8)


def _unpacked(lines: Any, shape: tuple[int, ...], depth: int) -> Any:
    if depth == 16:
        return np.ascontiguousarray(lines).view(">u2").reshape(shape)
    bits = np.unpackbits(lines, axis=1)[:, : shape[1] * shape[2] * depth].reshape(*shape, depth)
    return (bits << np.arange(depth)[::-1]).sum(axis=3)


def seen(color_type: int, depth: int, samples: Any, colors: Any = COLORS, key: bytes | None = None) -> tuple[Any, Any]:
    """Return the pixels that samples stand for, gray where all channels are equal, and opacity (None: opaque)."""
    kind = np.uint16 if depth == 16 else np.uint8
    opacity = samples[:, :, -1] if color_type in {GRAY_ALPHA, RGB_ALPHA} else None
    if color_type == PALETTE:
        pixels = colors[samples[:, :, 0]]
        opacity = None if key is None else np.frombuffer(key.ljust(256, b"\xff"), np.uint8)[samples[:, :, 0]]
    else:
        shown = samples[:, :, :3] if color_type in {RGB, RGB_ALPHA} else samples[:, :, :1]
        if key is not None and opacity is None:
            values = np.frombuffer(key, ">u2") & (2**depth - 1)
            opacity = np.where((shown == values).all(axis=2), 0, np.iinfo(kind).max)
        pixels = shown * (255 // (2**depth - 1) if depth < 8 else 1)
    gray = (pixels == pixels[:, :, :1]).all()
    return (pixels[:, :, 0] if gray else pixels).astype(kind), opacity


def samples_of(color_type: int, depth: int, rows: int, columns: int, seed: int = 5) -> Any:
    """Return random samples; every alpha is opaque."""
    samples = noise(rows, columns, CHANNELS[color_type], top=2**depth - 1, seed=seed)
    if color_type in {GRAY_ALPHA, RGB_ALPHA}:
        samples[:, :, -1] = 2**depth - 1
    return samples


def plte(depth: int, colors: Any = COLORS) -> bytes:
    return chunk(b"PLTE", colors[: 2**depth].tobytes())


def png(color_type: int, depth: int, rows: int = 13, columns: int = 11, *, interlace: bool = False, before: bytes = b"", **parts: Any) -> tuple[bytes, Any]:  # fmt: skip
    """Return a random opaque PNG and its expected pixels."""
    samples = samples_of(color_type, depth, rows, columns)
    before += plte(depth) if color_type == PALETTE else b""
    return encode(samples, color_type, depth, interlace=interlace, before=before, **parts), seen(color_type, depth, samples)[0]  # fmt: skip
