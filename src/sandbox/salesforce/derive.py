#!/usr/bin/env python3
"""Derives from recorded describes: `described.json`, the names that they have and the types of fields; `objects.txt`, objects
of the vendor; `recorded.json`, what they say of fields and what the schemas do not have.

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


# Attributes of a field that only a describe tells: writes and queries do not go by them here.
TOLD = ["aggregatable", "byteLength", "compoundFieldName", "defaultValue", "defaultedOnCreate", "extraTypeInfo", "filterable", "groupable", "label", "length",
        "nameField", "namePointing", "permissionable", "polymorphicForeignKey", "searchPrefilterable", "soapType", "sortable", "type"]
TOLD_OF_OBJECTS = ["deepCloneable", "feedEnabled", "labelPlural", "mergeable", "mruEnabled", "searchLayoutable", "searchable", "supportedScopes", "undeletable"]


def overlay(recorded):
    """What recorded describes say of standard fields: for each type what is usual, for each field what is not."""
    usual = {}
    for field in (field for one in recorded for field in one["fields"]):
        for name in TOLD:
            usual.setdefault(field["type"], {}).setdefault(name, []).append(json.dumps(field[name]))
    usual = {kind: {name: json.loads(max(sorted(set(values)), key=values.count)) for name, values in names.items()} for kind, names in usual.items()}
    objects = {}
    for one in recorded:
        fields = {}
        for field in one["fields"]:
            out = {name: field[name] for name in TOLD if field[name] != usual[field["type"]][name]}
            # Values with another label, and the one that is there to begin with.
            labels = {value["value"]: value["label"] for value in field["picklistValues"] if value["label"] != value["value"]}
            begins = [value["value"] for value in field["picklistValues"] if value["defaultValue"]]
            fields[field["name"]] = {"type": field["type"], **out, **({"labels": labels} if labels else {}), **({"begins": begins} if begins else {})}
        objects[one["name"]] = {"object": {name: one[name] for name in TOLD_OF_OBJECTS}, "fields": fields}
    return {"usual": usual, "objects": objects}


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
    (Path(__file__).parent / "recorded.json").write_text(json.dumps(overlay(recorded), indent=0, sort_keys=True) + "\n")
    # Objects that the vendor has: listed, or named by a relation.
    objects = {one["name"] for one in listed["sobjects"]}
    objects |= {child["childSObject"] for one in recorded for child in one["childRelationships"]}
    objects |= {name for field in fields for name in field["referenceTo"]}
    objects = sorted(name for name in objects if "__" not in name)
    (Path(__file__).parent / "objects.txt").write_text("\n".join(objects) + "\n")


main()
