"""The tables of a JPEG stream (ITU-T T.81 B.2.4), and how short or long what they code can be."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

DQT, DHT, DAC, DRI = 0xDB, 0xC4, 0xCC, 0xDD
MARKERS = {DQT, DHT, DAC, DRI}
_EOB_RUNS = 15  # categories of runs of blocks that end (T.81 G.1.2.2)


class Huffman(NamedTuple):
    """A Huffman table.

    Attributes
    ----------
    codes
        Each symbol with the length of its code.
    wrong
        What is wrong with it; empty for nothing.
    bits
        The fewest and the most bits that a symbol takes with those that follow it.
    highest
        Of the symbols.
    """

    codes: tuple[tuple[int, int], ...]
    wrong: str = ""
    bits: tuple[int, int] = (0, 0)
    highest: int = 0

    def bits_a_block(self) -> float:
        """Return the fewest bits that a block's band takes in a progressive scan, where a code may end many blocks."""
        fewest = 64.0
        for symbol, length in self.codes:
            run, size = symbol >> 4, symbol & 15
            ends = 2 ** (run + 1) - 1 if not size and run < _EOB_RUNS else 1
            fewest = min(fewest, (length + (run if ends > 1 else size)) / ends)
        return fewest


@dataclass(slots=True)
class Tables:
    """The tables in force at one place of a stream.

    Attributes
    ----------
    quantisation
        Table number to precision (0: 8 bits, 1: 16 bits).
    huffman
        Class (0: DC or lossless, 1: AC) and number to table.
    restart_interval
        MCUs between restart markers; 0 for none.
    """

    quantisation: dict[int, int] = field(default_factory=dict)
    huffman: dict[tuple[int, int], Huffman] = field(default_factory=dict)
    restart_interval: int = 0

    def copy(self) -> Tables:
        """Return the tables as they are now."""
        return Tables(dict(self.quantisation), dict(self.huffman), self.restart_interval)

    def define(self, marker: int, payload: bytes) -> str:
        """Take in a segment; return what is wrong with it, or an empty string."""
        if marker == DQT:
            return self._quantisation(payload)
        if marker == DHT:
            return self._huffman(payload)
        if marker == DRI:
            if len(payload) != 2:
                return f"the restart interval has {len(payload)} bytes instead of 2 (B.2.4.4)"
            self.restart_interval = int.from_bytes(payload, "big")
            return ""
        pairs = zip(payload[::2], payload[1::2], strict=False)
        legal = all(_conditioning(destination, value) for destination, value in pairs)
        return "" if legal and not len(payload) % 2 else "an arithmetic conditioning table is none of T.81's (B.2.4.3)"

    def _quantisation(self, payload: bytes) -> str:
        at = 0
        while at < len(payload):
            precision, number = payload[at] >> 4, payload[at] & 15
            size = 64 * (precision + 1)
            values = payload[at + 1 : at + 1 + size]
            if precision > 1 or number > 3 or len(values) < size:
                return "a quantisation table is none of T.81's (B.2.4.1)"
            if (
                0 in values
                if precision == 0
                else any(not (a or b) for a, b in zip(values[::2], values[1::2], strict=True))
            ):
                return f"quantisation table {number} has a 0, which T.81 doesn't allow (B.2.4.1)"
            self.quantisation[number] = precision
            at += 1 + size
        return "" if payload else "a quantisation table is empty (B.2.4.1)"

    def _huffman(self, payload: bytes) -> str:
        at = 0
        while at < len(payload):
            kind, number = payload[at] >> 4, payload[at] & 15
            counts = payload[at + 1 : at + 17]
            total = sum(counts)
            values = payload[at + 17 : at + 17 + total]
            if kind > 1 or number > 3 or len(counts) < 16 or total > 256 or len(values) < total:
                return "a Huffman table is none of T.81's (B.2.4.2)"
            self.huffman[kind, number] = huffman(counts, values)
            at += 17 + total
        return "" if payload else "a Huffman table is empty (B.2.4.2)"


def _conditioning(destination: int, value: int) -> bool:
    kind, number = destination >> 4, destination & 15
    if number > 3 or kind > 1:
        return False
    return 1 <= value <= 63 if kind else value & 15 <= value >> 4


@lru_cache(maxsize=256)
def huffman(counts: bytes, values: bytes) -> Huffman:
    """Return the table of so many codes of each length; thousands of files have the same.

    Parameters
    ----------
    counts
        Of the codes of 1 to 16 bits.
    values
        The symbols, in the order of their codes.
    """
    lengths = [length for length, count in enumerate(counts, start=1) for _ in range(count)]
    codes = tuple(zip(values, lengths, strict=True))
    if not codes:
        return Huffman((), "has no codes")
    free = 1
    for count in counts:
        free = 2 * free - count
        if free < 1:  # at least one code is left: that of ones alone is none (Annex C)
            return Huffman(codes, "has more codes than there can be")
    if len(set(values)) < len(values):
        return Huffman(codes, "has a symbol twice")
    bits = [length + (symbol & 15) for symbol, length in codes]  # 16, of lossless coding, has none
    return Huffman(codes, bits=(min(bits), max(bits)), highest=max(values))
