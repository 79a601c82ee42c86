"""The keys of a mapping file, once: what each means and may hold; those that are taken and the JSON schema follow."""

from __future__ import annotations

from typing import Any

from bulkdcm.manifest import conversions
from bulkdcm.settings import DELIMITERS, ROWS_PER_IMAGE

Schema = dict[str, Any]
_SCALAR: Schema = {"type": ["string", "integer", "number"]}
_TEXT: Schema = {"type": "string", "minLength": 1}
_TEXTS: Schema = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]}
_CODE: Schema = {
    "anyOf": [
        {"type": "string", "pattern": r"^[^^\\]+\^[^^\\]+\^[^^\\]+$"},
        {"type": "array", "items": _TEXT, "minItems": 3, "maxItems": 3},
    ]
}


def _key(meaning: str, schema: Schema) -> Schema:
    return {"description": meaning, **schema}


def _table(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


SOURCES = ("column", "template", "count", "value")
"""What a column of the manifest is made from: each rule has one of them."""
RULE_KEYS: dict[str, Schema] = {
    "column": _key("A column of the table, whose cells are taken.", _TEXT),
    "template": _key(
        "A text with fields: {Name} is a cell, {Name[:2]} a part of it, {Name:pattern} what a pattern finds in it. In source, "
        "**/ looks in all folders below, and .* for any ending; of several templates one has to be there.",
        {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]},
    ),
    "count": _key("Numbers that count up within the rows that agree in these columns of the manifest.", _TEXTS),
    "value": _key("The same for all rows.", _SCALAR),
    "start": _key(
        "The first number of count; a text of digits also says how many there are.",
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]{1,9}$"}]},
    ),
    "prefix": _key("What comes before each number of count.", _SCALAR),
    "take": _key("A regular expression with one group, or the name of one: what is taken of the cell.", _TEXT),
    "split": _key("What divides the cell: into several values, or into those of which part takes one.", _TEXT),
    "part": _key("Which part is taken: 1 for the first, -1 for the last.", {"type": "integer", "not": {"const": 0}}),
    "values": _key("What cells become; others are errors, unless else says what they become.", _table(_SCALAR)),
    "codes": _key('With as = "code": the value, scheme and meaning of each cell.', _table(_CODE)),
    "as": _key("What cells are converted to.", {"enum": list(conversions.CONVERSIONS)}),
    "formats": _key('How dates and times are written, as of strptime, or "excel".', _TEXTS),
    "first_year": _key(
        "Where the hundred years of two-digit years begin.", {"type": "integer", "minimum": 1800, "maximum": 2200}
    ),
    "unit": _key("Of ages without one.", {"enum": list(conversions.AGE_UNITS)}),
    "units": _key("What words of ages mean.", _table({"enum": list(conversions.AGE_UNITS)})),
    "round": _key("Cut ages to whole units.", {"enum": ["down"]}),
    "decimal": _key("The decimal sign of numbers.", {"enum": [".", ","]}),
    "empty": _key("What an empty cell becomes.", _SCALAR),
    "default": _key("The same as empty.", _SCALAR),
    "else": _key("What a cell without a reading becomes.", _SCALAR),
    "question": _key("What is still to be decided; check repeats it.", {"type": "string"}),
}
_RULE: Schema = {
    "type": "object",
    "properties": RULE_KEYS,
    "additionalProperties": False,
    "oneOf": [
        *({"required": [source]} for source in SOURCES),
        {"required": ["question"], "maxProperties": 1},
    ],
    "dependentRequired": {"part": ["split"], "start": ["count"], "prefix": ["count"], "codes": ["as"]},
}
FILE_KEYS: dict[str, Schema] = {
    "title": _key("What dataset it is of.", {"type": "string"}),
    "encoding": _key("Of the table, if it isn't UTF-8.", {"type": "string"}),
    "delimiter": _key("What divides the table's columns, if that isn't to be recognised.", {"enum": [*DELIMITERS]}),
    "header": _key("Names of the columns of a table without a header line.", _TEXTS),
    "keep": _key("Only rows with one of these cells are kept.", _table(_TEXTS)),
    "patterns": _key("Regular expressions with one group, for take and templates.", _table(_TEXT)),
    "rows_per_image": _key("What becomes of several rows of one image.", {"enum": [*ROWS_PER_IMAGE]}),
    "unused": _key("Columns of the table that no rule takes, and why.", _table({"type": "string"})),
    "columns": _key(
        "What each column of the manifest is made from.",
        {"type": "object", "required": ["source"], "additionalProperties": {"anyOf": [_SCALAR, _RULE]}},
    ),
}


def schema() -> Schema:
    """Return the JSON schema of mapping files."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bulkdcm mapping",
        "description": "How a dataset's own table is read as a manifest.",
        "type": "object",
        "properties": FILE_KEYS,
        "required": ["columns"],
        "additionalProperties": False,
    }
