"""One message for both surfaces: it is written with the command line's options, and Python shows it with arguments."""

from __future__ import annotations

import re

_FLAGS = frozenset(
    {
        "check_sources",
        "convert_cmyk",
        "fail_fast",
        "follow_links",
        "invert",
        "fsync",
        "keep_color",
        "only_failed",
        "overwrite",
        "prune",
        "retry_failed",
        "skip_invalid",
        "template_patient",
        "verify",
    }
)
# Of `verify`, whose arguments are no settings.
_VERIFY_FLAGS = frozenset({"again", "dciodvfy", "sources"})
# Options of commands that have no arguments in Python.
_COMMANDS_ONLY = frozenset(
    {"from", "join", "on", "number", "with", "pattern", "name_from_stem", "plot", "help", "version", "settings"}
)
_NAMES = {"set": "defaults", "ignore_column": "ignore_columns"}
# A value follows its option at the start of a message, up to the colon, and elsewhere if it can't be a word of the sentence.
_OPTION = re.compile(
    r"(?<![^\s(])--(?P<no>no-)?(?P<name>[a-z][a-z-]*[a-z])(?![\w-])(?: (?P<value>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s;,)]+))?"
)
_LEADING = re.compile(
    r"--(?P<name>[a-z][a-z-]*[a-z]) (?P<value>'(?:[^'\\]|\\.)*'|(?:(?! is not possible| needs ).)+?): ", re.DOTALL
)
_COMMAND = re.compile("(`bulkdcm [^`]*`)")  # to be run as it stands
_VALUE = re.compile(r"[\W\d_].*|.*[\d/\\=:_].*|[A-Z].*")
# Options whose value may be a plain word, which no message leaves out.
_TAKE_WORDS = frozenset({"backend", "background", "delimiter", "jpeg", "layout", "rows_per_image", "streams", "window"})


def in_arguments(text: str) -> str:
    """Return a message with each option as the argument that a caller in Python gives: ``--out`` as ``out=``."""
    if "--" not in text:
        return text
    leading = _LEADING.match(text)
    start, rest = "", text
    if leading and _name(leading["name"]) not in _COMMANDS_ONLY | _FLAGS | _VERIFY_FLAGS:
        start, rest = f"{_with_value(_name(leading['name']), leading['value'])}: ", text[leading.end() :]
    parts = _COMMAND.split(rest)
    return start + "".join(part if part.startswith("`") else _OPTION.sub(_argument, part) for part in parts)


def _name(option: str) -> str:
    name = option.replace("-", "_")
    return _NAMES.get(name, name)


def _argument(match: re.Match[str]) -> str:
    name, value = _name(match["name"]), match["value"] or ""
    if name in _COMMANDS_ONLY:
        return match[0]
    if name in _FLAGS | _VERIFY_FLAGS:
        return f"{name}={not match['no']}" + (f" {value}" if value else "")
    stop = re.search(r"[.:]*\Z", value)
    end = stop[0] if stop else ""
    value = value.removesuffix(end)
    if value and (name in _TAKE_WORDS or name in _NAMES.values() or _VALUE.fullmatch(value)):
        return _with_value(name, value) + end
    return f"{name}=" + (f" {value}{end}" if value else end)


def _with_value(name: str, value: str) -> str:
    if name == "defaults":
        keyword, _, given = value.partition("=")
        return f"defaults={{{keyword!r}: {given!r}}}"
    if name == "ignore_columns":
        return f"ignore_columns=[{value if value[:1] in {chr(34), chr(39)} else repr(value)}]"
    plain = re.fullmatch(r"-?[\d.]+|True|False|None|['\"].*['\"]", value, re.DOTALL)
    return f"{name}={value if plain else repr(value)}"
