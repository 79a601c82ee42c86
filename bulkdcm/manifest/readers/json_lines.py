"""JSON lines to columns: an object a line; tables within one become columns with a point in their names."""

from __future__ import annotations

import json
import math
from array import array
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from bulkdcm.errors import ManifestError
from bulkdcm.manifest.header import MOST_COLUMNS, understood
from bulkdcm.manifest.readers.delimited import encoding_of, undecodable
from bulkdcm.manifest.readers.growing import Growing, grown
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bulkdcm.manifest.readers.base import Form
    from bulkdcm.manifest.table import Manifest

_ENDINGS = (".jsonl", ".ndjson", ".json")
_MAX_LINE_BYTES = 16_000_000
_REMEDY = "Write one JSON object on each line"


def fits(name: str, head: bytes) -> bool:
    """See `Reader`."""
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    next_one = begins[1:].lstrip()[:1]
    if begins.startswith(b"["):  # a list of objects is none a line, which its reader says
        return next_one == b"{"
    return begins.startswith(b"{") and (name.lower().endswith(_ENDINGS) or next_one in {b'"', b"}"})


def read(path: Path, file: IO[bytes], form: Form) -> Manifest:
    """Return a file of JSON lines as columns; see `Reader`.

    Raises
    ------
    ManifestError
        If a line is no object, or holds what no text is certain for.
    """
    encoding = encoding_of(file, form.encoding)
    lines = array("i")
    columns: dict[str, Growing] = {}
    for line, raw in enumerate(iter(partial(file.readline, _MAX_LINE_BYTES), b""), start=1):
        if not raw.strip():
            continue
        try:
            record = _object(raw, encoding)
        except UnicodeError as error:
            raise undecodable(path, file, encoding) from error
        except (ValueError, RecursionError) as error:
            said = str(error) if isinstance(error, ValueError) else "nested too deeply"
            raise ManifestError.of(
                path, [Problem(lines=(line,), rule=f"no JSON object: {said}", remedy=_REMEDY)]
            ) from error
        for name, value in record.items():
            if name not in columns:
                if len(columns) >= MOST_COLUMNS:
                    understood(path, [*columns, *map(str, range(len(record)))], form)
                columns[name] = Growing()
            columns[name].put(len(lines), value)
        lines.append(line)
    names, notes = understood(path, list(columns), form)
    return grown(path, dict(zip(names, columns.values(), strict=True)), lines, notes)


def _object(raw: bytes, encoding: str) -> dict[str, Any]:
    if len(raw) >= _MAX_LINE_BYTES:
        msg = f"a line of more than {_MAX_LINE_BYTES:,} bytes"
        raise ValueError(msg)
    found = json.loads(raw.decode(encoding), object_pairs_hook=_pairs, parse_constant=_constant)
    if not isinstance(found, dict):
        msg = f"it holds {'a list' if isinstance(found, list) else 'one value'}"
        raise ValueError(msg)  # noqa: TRY004  # as all that is wrong with a line
    return _pairs(list(_flat("", found)))


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        msg = f"it has {next(name for name in names if names.count(name) > 1)!r} twice"
        raise ValueError(msg)
    return found


def _constant(word: str) -> float:
    return math.nan if word == "NaN" else math.inf


def _flat(above: str, record: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(f"{above}{name}.", value)
        else:
            yield f"{above}{name}", value
