"""Make the JSON schema of mappings from the keys that are taken: `python -m tests.tables.make_mapping_schema`."""

from __future__ import annotations

import json

from bulkdcm.manifest import mapping_keys
from bulkdcm.mappings import SCHEMA


def text() -> str:
    """Return the schema as it is shipped."""
    return json.dumps(mapping_keys.schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
