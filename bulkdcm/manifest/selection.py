"""Which rows of a manifest a run takes; UIDs, ledger and report stay those of the whole."""

from __future__ import annotations

import ast
import difflib
import hashlib
import operator
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.errors import SettingsError
from bulkdcm.printable import some

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from bulkdcm.manifest.table import Manifest
    from bulkdcm.setting_parts import ManifestSettings

    Mask = npt.NDArray[np.bool_]

_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_MAX_CHARS, _MAX_DEPTH = 100_000, 50
_CHARS_SHOWN, _NAMES_SHOWN = 200, 30
_EXAMPLE = "as \"Modality == 'CR' and PatientSex in ('F', 'O')\""


def selected(manifest: Manifest, settings: ManifestSettings) -> Mask:
    """Return for each row whether the settings' `rows`, `where` and `sample` take it.

    Raises
    ------
    SettingsError
        If one of them means nothing.
    """
    taken = np.zeros(len(manifest), dtype=bool)
    taken[_slice(settings.rows)] = True
    if settings.where:
        taken &= _where(manifest, settings.where)
    if settings.sample:
        taken = _sampled(manifest, taken, settings.sample)
    for first, *others in manifest.frames.values():  # of an object all frames, or none
        members = [first, *others]
        taken[members] = bool(taken[members].any())
    return taken


def _slice(text: str) -> slice:
    first, colon, last = text.partition(":")
    numbers = [part for part in (first, last) if part]
    if text and (not colon or not all(re.fullmatch(r"[0-9]{1,15}", part) for part in numbers)):
        msg = f"--rows {_short(text)}: write first:last, counted from 0, the last not among them, such as 1000:2000."
        raise SettingsError(msg)
    if last and int(first or 0) >= int(last):
        msg = f"--rows {_short(text)} takes no row: the last isn't among them. Write the smaller number first, such as 1000:2000."
        raise SettingsError(msg)
    return slice(int(first or 0), int(last) if last else None)


def _short(text: str) -> str:
    return repr(text if len(text) <= _CHARS_SHOWN else f"{text[:_CHARS_SHOWN]}…")


def _sampled(manifest: Manifest, taken: Mask, count: int) -> Mask:
    """Return `count` of the rows taken, the same ones every time, by a hash of what they are."""
    sources, instances = manifest.places, manifest.column("instance")

    def rank(ordinal: int) -> bytes:
        text = f"{sources[ordinal]}\n{instances[ordinal]}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()

    chosen = sorted(np.flatnonzero(taken).tolist(), key=rank)[:count]
    result = np.zeros(len(taken), dtype=bool)
    result[chosen] = True
    return result


def _where(manifest: Manifest, text: str) -> Mask:
    """Return where a condition holds. Whatever stands in it is parsed as an expression and never run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in texts
            tree = ast.parse(_limited(text.strip()), mode="eval")
        return _condition(manifest, tree.body, text)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        said = getattr(error, "msg", None) or (str(error) if isinstance(error, ValueError) else "nested too deeply")
        msg = f"--where {_short(text)}: {said}. Write a condition on columns, {_EXAMPLE}."
        raise SettingsError(msg) from error


def _limited(text: str) -> str:
    """Return the text; refuse what the parser could exhaust the stack with."""
    if len(text) > _MAX_CHARS:
        msg = f"{len(text):,} characters are more than {_MAX_CHARS:,}"
        raise ValueError(msg)
    depth = deepest = 0
    for sign in re.findall(r"[([{]|[)\]}]", text):
        depth += 1 if sign in "([{" else -1
        deepest = max(deepest, depth)
    if deepest > _MAX_DEPTH or re.search(rf"(?:(?:\bnot\b|[-+~])\s*){{{_MAX_DEPTH}}}", text):
        msg = "nested too deeply"
        raise ValueError(msg)
    return text


def _condition(manifest: Manifest, node: ast.expr, text: str) -> Mask:
    """Return where a condition holds: column by column, each distinct cell looked at once."""
    if isinstance(node, ast.BoolOp):
        combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        found = _condition(manifest, node.values[0], text)
        for part in node.values[1:]:
            found = combine(found, _condition(manifest, part, text))
        return found
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_condition(manifest, node.operand, text)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.left, ast.Name):
        return _comparison(manifest, node.left.id, node.ops[0], node.comparators[0], text)
    raise SettingsError(_meaningless(node, text))


def _comparison(manifest: Manifest, name: str, sign: ast.cmpop, node: ast.expr, text: str) -> Mask:
    if name not in manifest.columns:
        close = difflib.get_close_matches(name, manifest.columns, n=1)
        meant = f"Did you mean {close[0]}?" if close else f"It has {some(list(manifest.columns), _NAMES_SHOWN)}."
        msg = f"--where {_short(text)}: the manifest has no column {name!r}. {meant}"
        raise SettingsError(msg)
    column = manifest.column(name)
    value = _constant(node, text)
    if isinstance(sign, (ast.In, ast.NotIn)):
        among = set(value) if isinstance(value, tuple) else {str(value)}
        return column.where(lambda cell: (cell in among) == isinstance(sign, ast.In))
    if isinstance(sign, (ast.Eq, ast.NotEq)):
        return column.where(lambda cell: _equal(cell, value) == isinstance(sign, ast.Eq))
    if type(sign) in _ORDER and not isinstance(value, tuple):
        compare = _ORDER[type(sign)]
        return column.where(lambda cell: _ordered(compare, cell, value))
    raise SettingsError(_meaningless(node, text))


def _constant(node: ast.expr, text: str) -> Any:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        if type(value) in {int, float}:
            return -value  # type: ignore[operator]  # a number, as said above
    if isinstance(node, ast.Constant) and type(node.value) in {str, int, float}:
        return node.value
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(str(_constant(part, text)) for part in node.elts)
    raise SettingsError(_meaningless(node, text))


def _equal(cell: str, value: object) -> bool:
    if isinstance(value, str):
        return cell == value
    try:
        return float(cell) == value
    except ValueError:
        return False


def _ordered(compare: Callable[[Any, Any], bool], cell: str, value: object) -> bool:
    """Compare numbers as numbers, and texts (dates too) as texts; an empty cell is neither."""
    if not cell:
        return False
    if isinstance(value, str):
        return compare(cell, value)
    try:
        return compare(float(cell), value)
    except ValueError:
        return False


def _meaningless(node: ast.expr, text: str) -> str:
    part = ast.get_source_segment(text.strip(), node) or text
    return f"--where {_short(text)}: {_short(part)} is no condition on a column. Write {_EXAMPLE}."
