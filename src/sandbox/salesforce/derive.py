#!/usr/bin/env python3
"""Derives `described.json` beside it: the names that recorded describes have, and the types of fields.

    python3 src/sandbox/salesforce/derive.py DESCRIPTIONS

DESCRIPTIONS is a folder with `salesforce/describe/*.describe.json`, recorded from an org (API 48.0).
"""
import json
import sys
from pathlib import Path


def kind(value):
    return {"str": "string", "int": "number", "float": "number", "bool": "boolean", "list": "array", "dict": "object"}.get(type(value).__name__)


def names(items):
    """Of each name, the types of its values other than null, where it is in every item."""
    out = {}
    for item in items:
        for name, value in item.items():
            out.setdefault(name, set()).update({kind(value)} - {None})
    return {name: sorted(kinds) for name, kinds in sorted(out.items()) if all(name in item for item in items)}


def main():
    folder = Path(sys.argv[1]) / "salesforce" / "describe"
    recorded = [json.loads(path.read_text()) for path in sorted(folder.glob("*.describe.json")) if not path.name.startswith("Global")]
    listed = json.loads((folder / "Global.describe.json").read_text())
    fields = [field for one in recorded for field in one["fields"]]
    by_type = {}
    for field in fields:
        by_type.setdefault(field["type"], set()).add(field["soapType"])
    out = {
        "object": names(recorded),
        "field": names(fields),
        "child": names([child for one in recorded for child in one["childRelationships"]]),
        "value": names([value for field in fields for value in field["picklistValues"]]),
        "list": names([listed]),
        "listed": names(listed["sobjects"]),
        "soap": {name: sorted(kinds) for name, kinds in sorted(by_type.items())},
    }
    (Path(__file__).parent / "described.json").write_text(json.dumps(out, indent=1) + "\n")


main()
