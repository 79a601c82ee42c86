"""Regular expressions that can't hang: what a cell costs at most follows from the pattern, and bounds the cell.

Python's matcher tries one way after another. The ways multiply where a repetition may give characters to what follows it, and
grow beyond any bound where repetitions are nested; look-around and references to groups hide both. So these are refused, and
of the others it is counted how many repetitions share characters with what follows.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

_MOST_STEPS = 10**8  # a second or two
_MOST_OPTIONAL, _MOST_WAYS, _MOST_CHARS = 10, 1000, 2000
_ALPHABET = [chr(code) for code in range(0x180)] + ["\u0391", "\u4e2d", "\u0661", "\u2003", "\u2020", "\U0001f600"]
_KNOWN_ESCAPE = re.compile(r"\\(?:[dDwWsS]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[^0-9a-zA-Z]|[tnrfv])")
_EDGE = re.compile(r"\^|\$|\\[bBAZ]")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\\\]])*\]", re.DOTALL)
_REPEAT = re.compile(r"([*+?]|\{(\d*)(,?)(\d*)\})([?+]?)")
_WIDE = 64  # characters of a range beyond the alphabet, of which not each is looked at


@dataclass(slots=True)
class _Part:
    """One part of a pattern, as far as its cost goes."""

    chars: frozenset[str] = frozenset()
    """What it may begin with; for a single character, what it is."""
    nullable: bool = False
    ways: bool = False
    """Whether it holds a choice, or a repetition of no fixed count."""
    branches: list[list[_Part]] = field(default_factory=list)
    repeated: bool = False
    """Whether it stands any number of times."""


class Pattern:
    """A regular expression with one group, checked.

    Parameters
    ----------
    text
        The expression.

    Raises
    ------
    ValueError
        If it is none, or none whose cost is known; the message says why.
    """

    def __init__(self, text: str) -> None:
        if len(text) > _MOST_CHARS:
            msg = f"it has more than {_MOST_CHARS:,} characters"
            raise ValueError(msg)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", FutureWarning)  # of classes that another Python may read otherwise
                self._compiled = re.compile(text)
        except FutureWarning as warning:
            msg = f"{str(warning).lower()}: put a backslash before signs of a class that mean themselves"
            raise ValueError(msg) from warning
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(str(error)) from error
        if self._compiled.groups != 1:
            msg = f"it has {self._compiled.groups} groups and needs one"
            raise ValueError(msg)
        self.text = text
        self._reader = _Reader(text, self._compiled.flags)

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    @cached_property
    def most_chars(self) -> int:
        """The length of the longest cell that it is asked of."""
        power = 1 + (not self._reader.anchored) + self._reader.open
        return int((_MOST_STEPS / self._reader.ways) ** (1 / power))

    def group_of(self, cell: str) -> str | None:
        """Return the group in a cell, None if the pattern isn't found; `ValueError` if the cell is too long to be asked."""
        if len(cell) > self.most_chars:
            msg = f"longer than {self.most_chars:,} characters, which a pattern of this form is not asked of"
            raise ValueError(msg)
        match = self._compiled.search(cell)
        return None if match is None else match[1] or ""


class _Reader:
    """A pattern to its parts, and what it costs.

    Parameters
    ----------
    text
        A pattern that compiles.
    flags
        It was compiled to.
    """

    def __init__(self, text: str, flags: int) -> None:
        inline = re.match(r"\(\?[a-zA-Z]+\)", text)
        self._text, self._at = text, inline.end() if inline else 0
        self._flags = flags & (re.IGNORECASE | re.ASCII | re.DOTALL | re.VERBOSE)
        if flags & re.VERBOSE:
            msg = "the flag x isn't taken"
            raise ValueError(msg)
        self._extra: set[str] = set(text)
        self._optional = 0
        self.ways, self.open = 1, 0
        once = ("\\A",) if flags & re.MULTILINE else ("^", "\\A")  # with the flag m, ^ is at each line of a cell
        self.anchored = text.startswith(once, self._at)
        branches = self._branches(0)
        if len(branches) > 1:
            self.anchored = False
        self._weigh(branches, [])
        if self._optional > _MOST_OPTIONAL or self.ways > _MOST_WAYS:
            msg = "it may be read in too many ways: write fewer ? and |"
            raise ValueError(msg)
        self.ways *= 2**self._optional

    def _branches(self, depth: int) -> list[list[_Part]]:
        if depth > 20:
            msg = "it is nested too deeply"
            raise ValueError(msg)
        branches: list[list[_Part]] = [[]]
        while self._at < len(self._text) and self._text[self._at] != ")":
            if self._text[self._at] == "|":
                self._at += 1
                branches.append([])
            elif edge := _EDGE.match(self._text, self._at):
                self._at = edge.end()
            else:
                branches[-1].append(self._repeated(self._part(depth)))
        return branches

    def _part(self, depth: int) -> _Part:
        if self._text[self._at] == "(":
            return self._group(depth)
        match = _CLASS.match(self._text, self._at) or _KNOWN_ESCAPE.match(self._text, self._at)
        text = match[0] if match else self._text[self._at]
        if text == "\\":
            msg = f"{self._text[self._at : self._at + 2]!r} isn't taken: only classes such as \\d, and signs that are no letters"
            raise ValueError(msg)
        self._at += len(text)
        return _Part(chars=_chars_of(text, self._flags, frozenset(self._extra)))

    def _group(self, depth: int) -> _Part:
        kind = re.match(r"\((\?:|\?P<\w+>|(?!\?))", self._text[self._at :])
        if not kind:
            msg = "look-around, conditions, references and flags within aren't taken: use ( ) and (?: )"
            raise ValueError(msg)
        self._at += kind.end()
        branches = self._branches(depth + 1)
        self._at += 1  # the closing parenthesis
        return _Part(
            chars=frozenset().union(*(_first(branch) for branch in branches)),
            nullable=any(all(part.nullable for part in branch) for branch in branches),
            ways=len(branches) > 1 or any(part.ways for branch in branches for part in branch),
            branches=branches,
        )

    def _repeated(self, part: _Part) -> _Part:
        match = _REPEAT.match(self._text, self._at)
        if not match or (match[1][0] == "{" and not (match[2] or match[4])):
            return part
        self._at = match.end()
        if match[5] == "+":
            msg = "possessive repetitions aren't taken"
            raise ValueError(msg)
        least, most = _counts(match)
        if most > 1 and part.ways:
            msg = "a repetition within a repetition, or a choice within one, may take for ever: write it without"
            raise ValueError(msg)
        if (least, most) == (0, 1):
            self._optional += 1
        elif most > least:
            part.repeated = True
        part.ways |= most != least
        part.nullable |= least == 0
        return part

    def _weigh(self, branches: list[list[_Part]], after: list[_Part]) -> None:
        """Count the repetitions that share characters with what may follow them, and multiply the choices."""
        self.ways *= len(branches)
        for branch in branches:
            for index, part in enumerate(branch):
                rest = [*branch[index + 1 :], *after]
                if part.branches:
                    self._weigh(part.branches, rest)
                if part.repeated and part.chars & _first(rest):
                    self.open += 1


def _counts(match: re.Match[str]) -> tuple[int, float]:
    sign, least, comma, most = match[1], match[2], match[3], match[4]
    if sign[0] != "{":
        return {"*": (0, float("inf")), "+": (1, float("inf")), "?": (0, 1)}[sign]
    return int(least or 0), float(most or "inf") if comma else int(least)


def _first(parts: list[_Part]) -> frozenset[str]:
    """Return what may come first of some parts in a row."""
    found: frozenset[str] = frozenset()
    for part in parts:
        found |= part.chars
        if not part.nullable:
            break
    return found


@lru_cache(maxsize=256)
def _chars_of(text: str, flags: int, extra: frozenset[str]) -> frozenset[str]:
    """Return which characters one part is, of an alphabet that has the pattern's own and some of each kind."""
    alphabet = {*_ALPHABET, *extra}
    for first, last in re.findall(r"([^\\])-([^\]])", text) if text[0] == "[" else ():
        if ord(last) > len(_ALPHABET) and ord(last) - ord(first) > _WIDE:
            return frozenset(alphabet)
    one = re.compile(text, flags)
    return frozenset(char for char in alphabet if one.fullmatch(char))
