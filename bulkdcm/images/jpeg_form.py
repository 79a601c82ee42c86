"""Whether a JPEG stream is complete in form (ITU-T T.81), without decoding it.

Every value is legal for the process, every table is there, every coefficient of every component is coded to its last bit,
and each part of a scan is neither shorter nor longer than its tables allow. What only decoding can find stays undetected:
see `jpeg_strict`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from bulkdcm.errors import PixelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bulkdcm.images.jpeg_stream import JpegStream, Scan
    from bulkdcm.images.jpeg_tables import Huffman, Tables

BASELINE, EXTENDED, PROGRESSIVE, LOSSLESS, ARITHMETIC, ARITHMETIC_PROGRESSIVE = 0, 1, 2, 3, 9, 10
_PRECISIONS = {0: {8}, 1: {8, 12}, 2: {8, 12}, 3: set(range(2, 17)), 9: {8, 12}, 10: {8, 12}}
_BLOCKS_A_MCU = 10
_PADDING_BYTES = 16  # more of them after a part's last code are no padding
_LAST_PLANE = 13


class Part(NamedTuple):
    """What one component has in a scan."""

    component: int
    dc: int
    ac: int


class Band(NamedTuple):
    """Which coefficients, and which of their bits, a scan holds."""

    first: int
    last: int
    before: int
    now: int


def standard_tables_fit(stream: JpegStream) -> bool:
    """Whether the stream has no Huffman table at all, as a frame of Motion JPEG, for which the typical ones are meant."""
    return stream.process == BASELINE and not any(scan.tables.huffman for scan in stream.scan_list)


def check(stream: JpegStream, data: bytes, source: str) -> None:
    """Refuse a stream that isn't complete in form.

    Parameters
    ----------
    stream
        As parsed, of a process that has its name in `jpeg`.
    data
        The bytes it was parsed from.
    source
        For the message.

    Raises
    ------
    PixelError
        With what is wrong, and the section of T.81.
    """
    wrong = next(_problems(stream, data), "")
    if wrong:
        msg = f"{source}: the JPEG is damaged: {wrong}. Fetch the file again, or export it again."
        raise PixelError(msg)


def _problems(stream: JpegStream, data: bytes) -> Iterator[str]:
    yield from _frame(stream)
    if missing := set(stream.component_ids) - stream.scanned:
        yield f"the JPEG stream has no scan of component {min(missing)}"
    planes = {index: [-1] * 64 for index in range(len(stream.component_ids))}  # the lowest bit coded; -1: none
    for number, scan in enumerate(stream.scan_list, start=1):
        for wrong in _scan(stream, scan, data, planes):
            yield f"{wrong}, in scan {number}" if stream.scans > 1 else wrong
    needed = 64 if stream.process in {PROGRESSIVE, ARITHMETIC_PROGRESSIVE} else 1
    for index, bits in planes.items():
        lacking = next((k for k in range(needed) if bits[k]), None)
        if lacking is not None:
            name = stream.component_ids[index]
            what = f"coefficient {lacking} of component {name}" if needed > 1 else f"component {name}"
            yield f"no scan of {what}" if bits[lacking] < 0 else f"the last bits of {what} are in no scan (G.1.1.1)"


def parts_of(stream: JpegStream, scan: Scan) -> tuple[list[Part], Band]:
    """Return what a scan's header says: its components with their tables, and what of them it codes."""
    header, names = scan.header, stream.component_ids
    parts = [
        Part(names.index(header[at]), header[at + 1] >> 4, header[at + 1] & 15) for at in range(1, 1 + 2 * header[0], 2)
    ]
    return parts, Band(header[-3], header[-2], header[-1] >> 4, header[-1] & 15)


def _frame(stream: JpegStream) -> Iterator[str]:
    if stream.precision not in _PRECISIONS[stream.process]:
        yield f"{stream.precision} bits a sample in process SOF{stream.process} (table B.2)"
    if len(set(stream.component_ids)) < len(stream.component_ids):
        yield "two components have the same name (B.2.2)"
    for name, factors in zip(stream.component_ids, stream.sampling, strict=True):
        if not all(1 <= factor <= 4 for factor in factors):
            yield f"component {name} has the sampling factors {factors[0]} and {factors[1]}; there are 1 to 4 (table B.2)"
        if stream.process == LOSSLESS and len(stream.component_ids) > 1 and factors != stream.sampling[0]:
            yield "the components of a lossless image differ in size, which no reader at hand reads"
    if stream.process != LOSSLESS and max(stream.quantisation) > 3:
        yield f"a component has quantisation table {max(stream.quantisation)}; there are 0 to 3 (table B.2)"


def _scan(stream: JpegStream, scan: Scan, data: bytes, planes: dict[int, list[int]]) -> Iterator[str]:
    header, names = scan.header, stream.component_ids
    count = header[0] if header else 0
    if not 1 <= count <= 4 or len(header) != 4 + 2 * count:
        yield f"a scan header of {len(header)} bytes for {count} components (B.2.3)"
        return
    chosen = [header[1 + 2 * n] for n in range(count)]
    if [name for name in names if name in chosen] != chosen:
        yield "a scan has other components than the frame, or in another order (B.2.3)"
        return
    parts, band = parts_of(stream, scan)
    yield from _band(stream, parts, band, planes)
    yield from _tables(stream, scan.tables, parts, band)
    yield from _size(stream, scan, data, parts, band)


def _band(stream: JpegStream, parts: list[Part], band: Band, planes: dict[int, list[int]]) -> Iterator[str]:
    """Check a scan's parameters (table B.3), and note what it codes."""
    first, last, before, now = band
    if stream.process == LOSSLESS:
        if not 1 <= first <= 7 or last or before:
            yield f"predictor {first}, {last}, {before} in a lossless scan (table B.3)"
        if now:
            yield f"its lossless coding has dropped the lowest {now} bits (a point transform), which is not lossless"
    elif stream.process in {PROGRESSIVE, ARITHMETIC_PROGRESSIVE}:
        legal = first <= last <= 63 and (not last if not first else len(parts) == 1)
        if not legal or now > _LAST_PLANE or before not in {0, now + 1}:
            yield f"spectral selection {first} to {last}, approximation {before} to {now} (table B.3)"
            return
    elif (first, last, before, now) != (0, 63, 0, 0):
        yield f"spectral selection {first} to {last}, approximation {before} to {now} in a sequential scan (table B.3)"
        return
    else:
        last = 0
    if stream.process == LOSSLESS:
        first = last = before = now = 0
    for part in parts:
        bits = planes[part.component]
        if first and bits[0] < 0:
            yield "the first scan of a component is not of its DC coefficients (G.1.1.1.1)"
        for k in range(first, last + 1):
            if bits[k] != (before or -1):
                yield f"coefficient {k} of component {stream.component_ids[part.component]} is coded twice, or out of order (G.1.1.1)"
                return
            bits[k] = now


def _tables(stream: JpegStream, tables: Tables, parts: list[Part], band: Band) -> Iterator[str]:
    """Check that the tables which a scan uses are there."""
    most = 1 if stream.process == BASELINE else 3
    lossless = stream.process == LOSSLESS
    for part in parts:
        number = stream.quantisation[part.component]
        if not lossless and number not in tables.quantisation:
            yield f"quantisation table {number} is missing (B.2.4.1)"
        if tables.quantisation.get(number) and stream.process == BASELINE:
            yield f"quantisation table {number} has 16 bits, which baseline hasn't (table B.4)"
        for kind, chosen in _used(stream, part, band):
            if chosen > most:
                yield f"a scan has Huffman table {chosen}; there are 0 to {most} (table B.3)"
            if stream.process >= ARITHMETIC or (standard_tables_fit(stream) and chosen <= most):
                continue
            table = tables.huffman.get((kind, chosen))
            if table is None:
                yield f"Huffman table {chosen} for {('DC', 'AC')[kind]} is missing (B.2.4.2)"
            elif table.wrong:
                yield f"Huffman table {chosen} for {('DC', 'AC')[kind]} {table.wrong} (annex C)"
            elif not kind and table.highest > 15 + lossless:
                yield f"Huffman table {chosen} has a size of more than {15 + lossless} bits (F.1.2.1)"


def _used(stream: JpegStream, part: Part, band: Band) -> list[tuple[int, int]]:
    """Return class and number of the entropy coding tables that a component uses in a scan."""
    if stream.process == LOSSLESS:
        return [(0, part.dc)]
    if stream.process in {PROGRESSIVE, ARITHMETIC_PROGRESSIVE}:
        if band.first:
            return [(1, part.ac)]
        return [] if band.before else [(0, part.dc)]
    return [(0, part.dc), (1, part.ac)]


def _size(stream: JpegStream, scan: Scan, data: bytes, parts: list[Part], band: Band) -> Iterator[str]:
    """Check each part of a scan, from one restart marker to the next, against the fewest and most bits it can have."""
    total, blocks = mcus(stream, parts)
    if len(parts) > 1 and sum(blocks) > _BLOCKS_A_MCU and stream.process != LOSSLESS:
        yield f"{sum(blocks)} blocks in an MCU; there are at most {_BLOCKS_A_MCU} (B.2.3)"
    interval = scan.tables.restart_interval or total
    expected = -(-total // interval) - 1
    if len(scan.restarts) != expected:
        yield f"{len(scan.restarts)} restart markers, but {expected} were expected (B.2.4.4)"
        return
    if any(number != index % 8 for index, (_, number) in enumerate(scan.restarts)):
        yield "restart markers are out of order (B.1.1.3)"
    if stream.process >= ARITHMETIC or not scan.tables.huffman:
        return  # a few bits may stand for any number of blocks, or the tables are not known
    few, many = _bits(stream, scan.tables, parts, blocks, band)
    places = [scan.start, *(at for at, _ in scan.restarts), scan.end]
    for index, (start, end) in enumerate(pairwise(places)):
        count = min(interval, total - index * interval)
        first, least, most = start + 2 * bool(index), int(few * count), many * count // 8 + _PADDING_BYTES
        size_bytes = end - first
        if size_bytes // 2 * 8 >= least and (not many or size_bytes <= most):
            continue  # however many of the bytes are stuffed (F.1.2.3), which are at most half
        coded = size_bytes - data.count(b"\xff\0", first, end)
        if coded * 8 < least:
            yield f"{coded} bytes of code can't hold the {count} MCUs of the scan; it is cut off, or its size is wrong"
            return
        if many and coded > most:
            yield f"{coded} bytes of code are more than the {count} MCUs of the scan can have; its size is wrong"
            return


def mcus(stream: JpegStream, parts: list[Part]) -> tuple[int, list[int]]:
    """Return the number of MCUs of a scan, and how many blocks (or samples) of each component an MCU has (A.2)."""
    unit = 1 if stream.process == LOSSLESS else 8
    most_across = max(across for across, _ in stream.sampling)
    most_down = max(down for _, down in stream.sampling)
    if len(parts) == 1:
        across, down = stream.sampling[parts[0].component]
        columns, rows = -(-stream.columns * across // most_across), -(-stream.rows * down // most_down)
        return -(-columns // unit) * -(-rows // unit), [1]
    total = -(-stream.columns // (unit * most_across)) * -(-stream.rows // (unit * most_down))
    return total, [stream.sampling[part.component][0] * stream.sampling[part.component][1] for part in parts]


def _bits(stream: JpegStream, tables: Tables, parts: list[Part], blocks: list[int], band: Band) -> tuple[float, int]:
    """Return the fewest and the most bits of an MCU; 0 for the most where it isn't known."""
    few, many = 0.0, 0
    for part, count in zip(parts, blocks, strict=True):
        dc, ac = tables.huffman.get((0, part.dc)), tables.huffman.get((1, part.ac))
        least, most = _block_bits(stream.process, dc, ac, band)
        few, many = few + least * count, many + most * count
    return few, many


def _block_bits(process: int, dc: Huffman | None, ac: Huffman | None, band: Band) -> tuple[float, int]:
    if process == PROGRESSIVE:
        if band.first:
            return (ac.bits_a_block() if ac else 0.0), 0
        if band.before:
            return 1.0, 1
        return dc.bits if dc else (0.0, 0)
    if process == LOSSLESS:
        return dc.bits if dc else (0.0, 0)
    if not (dc and ac):
        return 0.0, 0
    (dc_few, dc_many), (ac_few, ac_many) = dc.bits, ac.bits
    return dc_few + ac_few, dc_many + 63 * ac_many
