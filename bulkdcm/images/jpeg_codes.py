"""Coders of a JPEG's scans (ITU-T T.81 annexes F, G and H), as far as where each of their codes ends.

The windows of a piece, 16 bits from each of its bits on, are looked up in tables all at once; what is left for a loop is to
go from code to code.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from bulkdcm.images.jpeg_form import Band
    from bulkdcm.images.jpeg_tables import Huffman

    Windows = npt.NDArray[np.uint16]

_BLOCK = 64
_ENDS, _NO_CODE = 128, 255  # steps beyond any coefficient: the block's end, and its damage
_ZEROS = 15  # the run that is sixteen zeros if no coefficient follows


class DamagedError(ValueError):
    """Codes that are none, or that say more than there can be."""


class Lookup(NamedTuple):
    """What 16 bits begin with, by their value.

    Attributes
    ----------
    lengths
        Of the code; 0 if it is none.
    symbols
        The code's.
    bits
        Of the code and those that follow it; 0 if it is none.
    steps
        Coefficients that it goes on by, in a sequential block.
    """

    lengths: npt.NDArray[np.uint8]
    symbols: npt.NDArray[np.uint8]
    bits: npt.NDArray[np.uint8]
    steps: npt.NDArray[np.uint8]


@lru_cache(maxsize=64)
def lookup(table: Huffman) -> Lookup:
    """Return a table's codes by the 16 bits that begin with them (annex C)."""
    found = Lookup(*(np.zeros(1 << 16, np.uint8) for _ in Lookup._fields))
    found.steps[:] = _NO_CODE
    first = 0
    for symbol, length in table.codes:
        run, size = symbol >> 4, symbol & 15
        place = slice(first, first + (1 << (16 - length)))
        found.lengths[place], found.symbols[place], found.bits[place] = length, symbol, length + size
        if size:
            found.steps[place] = run + 1
        else:
            found.steps[place] = {0: _ENDS, _ZEROS: 16}.get(run, _NO_CODE)
        first = place.stop
    return found


class Coder(Protocol):
    """How a scan is coded.

    Attributes
    ----------
    blocks
        Of an MCU.
    """

    blocks: int

    def begin(self, first: int) -> None:
        """Begin a part of the scan, at its MCU of this number."""

    def walk(self, windows: Windows, at: tuple[int, int], limit: int, count: int) -> tuple[int, int]:
        """Go from the bit and the MCU `at` up to the bit `limit` or so many MCUs; return the bit and the MCU reached.

        Raises
        ------
        DamagedError
            If there is no such code.
        """

    def ended(self) -> bool:
        """Whether no more blocks were said to be there than there are."""


class Sequential:
    """Whole blocks, or only their DC coefficients, or the samples of a lossless scan.

    Parameters
    ----------
    mcu
        The tables of each of its blocks; none for AC coefficients that another scan has.
    """

    def __init__(self, mcu: Sequence[tuple[Lookup, Lookup | None]]) -> None:
        self._mcu, self.blocks = mcu, len(mcu)

    def begin(self, first: int) -> None:
        """Nothing is carried on."""

    def ended(self) -> bool:
        """Nothing is carried on."""
        return True

    def walk(self, windows: Windows, at: tuple[int, int], limit: int, count: int) -> tuple[int, int]:
        """Go on by whole MCUs."""
        looked_up: dict[int, tuple[bytes, bytes]] = {}

        def of(table: Lookup | None) -> tuple[bytes, bytes]:
            if table is None:
                return b"", b""
            if id(table) not in looked_up:
                looked_up[id(table)] = table.bits[windows].tobytes(), table.steps[windows].tobytes()
            return looked_up[id(table)]

        mcu = [(of(dc)[0], *of(ac)) for dc, ac in self._mcu]
        bit, done = at
        while done < count and bit < limit:
            for dc, bits, steps in mcu:
                size = dc[bit]
                if not size:
                    raise DamagedError
                bit += size
                if not steps:
                    continue
                k = 1
                while k < _BLOCK:
                    k += steps[bit]
                    bit += bits[bit]
                if k != _BLOCK and not _ENDS < k < _ENDS + _BLOCK:
                    raise DamagedError
            done += 1
        return bit, done


class DcRefinement:
    """One more bit of each DC coefficient (G.1.2.1.2).

    Parameters
    ----------
    blocks
        Of an MCU.
    """

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks

    def begin(self, first: int) -> None:
        """Nothing is carried on."""

    def ended(self) -> bool:
        """Nothing is carried on."""
        return True

    def walk(self, windows: Windows, at: tuple[int, int], limit: int, count: int) -> tuple[int, int]:
        """Go to the end at once."""
        del windows, limit
        bit, done = at
        return bit + (count - done) * self.blocks, count


class Ac:
    """AC coefficients of one component in a progressive scan, their first bits (G.1.2.2) or one more (G.1.2.3).

    Parameters
    ----------
    table
        Of its codes.
    band
        The coefficients.
    known
        For each block which of its coefficients aren't zero, a bit for each; what the scan adds goes in.
    """

    def __init__(self, table: Lookup, band: Band, known: list[int]) -> None:
        self._table, self._band, self._known = table, band, known
        self._first = self._ending = 0
        self.blocks = 1

    def begin(self, first: int) -> None:
        """Begin without blocks that have ended."""
        self._first, self._ending = first, 0

    def ended(self) -> bool:
        """Whether a run of blocks that end goes no further than the part."""
        return not self._ending

    def walk(self, windows: Windows, at: tuple[int, int], limit: int, count: int) -> tuple[int, int]:
        """Go on by whole blocks."""
        piece = _Piece(windows, self._table)
        band, known = self._band, self._known
        block = self._refined if band.before else self._coded
        in_band = (1 << (band.last + 1)) - (1 << band.first)
        bit, done = at
        while done < count:
            place = self._first + done
            if self._ending:
                self._ending -= 1
                bit += (known[place] & in_band).bit_count() if band.before else 0
            elif bit < limit:
                bit = block(piece, bit, place)
            else:
                break
            done += 1
        return bit, done

    def _ends(self, piece: _Piece, bit: int, run: int) -> int:
        """Take in how many blocks end after this one (G.1.2.2)."""
        self._ending = (1 << run) - 1 + (int(piece.windows[bit]) >> (16 - run) if run else 0)
        return bit + run

    def _coded(self, piece: _Piece, bit: int, place: int) -> int:
        k, last = self._band.first, self._band.last
        while k <= last:
            symbol, bit = piece.symbol(bit)
            run, size = symbol >> 4, symbol & 15
            if not size and run < _ZEROS:
                return self._ends(piece, bit, run)
            k += run
            if size and k <= last:
                self._known[place] |= 1 << k
            bit += size
            k += 1
        if k > last + 1:
            raise DamagedError
        return bit

    def _refined(self, piece: _Piece, bit: int, place: int) -> int:
        k, last, known = self._band.first, self._band.last, self._known[place]
        while k <= last:
            symbol, bit = piece.symbol(bit)
            run, size = symbol >> 4, symbol & 15
            if size > 1:
                raise DamagedError
            if not size and run < _ZEROS:
                return self._ends(piece, bit, run) + (known >> k & ((1 << (last + 1 - k)) - 1)).bit_count()
            bit += size  # its sign
            while k <= last:  # over as many zeros, and one more bit of each coefficient among them
                if known >> k & 1:
                    bit += 1
                elif run:
                    run -= 1
                else:
                    break
                k += 1
            else:
                raise DamagedError
            if size:
                self._known[place] |= 1 << k
            k += 1
        return bit


class _Piece:
    """The codes of a piece of a scan."""

    def __init__(self, windows: Windows, table: Lookup) -> None:
        self.windows = windows
        self._lengths, self._symbols = table.lengths[windows].tobytes(), table.symbols[windows].tobytes()

    def symbol(self, bit: int) -> tuple[int, int]:
        """Return the symbol of the code at a bit, and the bit behind it."""
        length = self._lengths[bit]
        if not length:
            raise DamagedError
        return self._symbols[bit], bit + length


def windows_of(data: bytes) -> Windows:
    """Return the 16 bits from each bit on, of all bytes but the last two."""
    each = np.frombuffer(data, np.uint8).astype(np.uint32)
    three = each[:-2] << 16 | each[1:-1] << 8 | each[2:]
    return (three[:, None] >> np.arange(8, 0, -1, dtype=np.uint32)).astype(np.uint16).reshape(-1)
