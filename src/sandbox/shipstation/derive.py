#!/usr/bin/env python3
"""Derives `api.json` and `v2.json` beside it from the vendor's API descriptions.

    python3 src/sandbox/shipstation/derive.py DESCRIPTIONS

DESCRIPTIONS is a folder with `shipstation/shipstation-v1.openapi.yaml`, a transcription of the vendor's pages of 2021.
Its `required` lists name every property and are left out; what the prose requires is held by the sandbox itself.
And `shipstation/shipstation-v2.openapi.yaml`, the vendor's own, of which the operations that the sandbox imitates are
kept, with their answers as JSON Schemas, and of the others the method and the path.
"""
import json
import sys
from pathlib import Path

import yaml

# The transcription lacks what later pages and answers show; each with its reason.
MORE_QUERY = {
    ("GET", "/shipments"): {"batchId": "integer"},  # a SHIP_NOTIFY's resource_url has it
    ("GET", "/orders"): {"importBatch": "string", "createDateStart": "string"},  # an ORDER_NOTIFY's resource_url has the first
}
MORE_BODY = {
    # Vendor's model pages: fields of an order that the request schema of the transcription leaves out.
    "/orders/createorder": {"orderKey": "string", "shipByDate": "string", "customerId": "integer", "tagIds": {"items": "integer"},
                            "orderTotal": "number", "holdUntilDate": "string", "requestedShippingService": "string", "userId": "string"},
    "/orders/createlabelfororder": {"packageCode": "string", "insuranceOptions": "any", "internationalOptions": "any", "advancedOptions": "any",
                                    "dimensions": "any", "weight": "any", "testLabel": "boolean"},
}
MORE_BODY["/orders/createorders"] = MORE_BODY["/orders/createorder"]
# Parts whose transcription knows too few fields, from the vendor's model pages.
PARTS = {
    "advancedOptions": {"warehouseId": "integer", "nonMachinable": "boolean", "saturdayDelivery": "boolean", "containsAlcohol": "boolean",
                        "mergedOrSplit": "boolean", "mergedIds": {"items": "integer"}, "parentId": "integer", "storeId": "integer",
                        "customField1": "string", "customField2": "string", "customField3": "string", "source": "string",
                        "billToParty": "string", "billToAccount": "string", "billToPostalCode": "string", "billToCountryCode": "string",
                        "billToMyOtherAccount": "string"},
    "internationalOptions": {"contents": "string", "nonDelivery": "string", "customsItems": {"items": {
        "customsItemId": "any", "description": "string", "quantity": "number", "value": "number", "harmonizedTariffCode": "string", "countryOfOrigin": "string"}}},
    "address": {"name": "string", "company": "string", "street1": "string", "street2": "string", "street3": "string", "city": "string",
                "state": "string", "postalCode": "string", "country": "string", "phone": "string", "residential": "boolean", "addressVerified": "string"},
    "items": {"items": {"orderItemId": "integer", "lineItemKey": "string", "sku": "string", "name": "string", "imageUrl": "string", "weight": {
        "value": "number", "units": "string", "WeightUnits": "integer"}, "quantity": "integer", "unitPrice": "number", "taxAmount": "number",
        "shippingAmount": "number", "warehouseLocation": "string", "options": {"items": {"name": "string", "value": "string"}}, "productId": "integer",
        "fulfillmentSku": "string", "adjustment": "boolean", "upc": "string", "createDate": "string", "modifyDate": "string"}},
    "weight": {"value": "number", "units": "string", "WeightUnits": "integer"},
    "dimensions": {"units": "string", "length": "number", "width": "number", "height": "number"},
}


# Types were guessed from examples: what is an amount or a measure is no whole number.
AMOUNTS = ("Amount", "Cost", "Price", "Paid", "Total", "value", "Value", "length", "width", "height")


def shape(spec, schema, depth=0, name=""):
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    kind = schema.get("type")
    if kind == "array":
        return {"items": shape(spec, schema.get("items", {}), depth + 1)}
    if kind == "object" or "properties" in schema:
        if not schema.get("properties"):
            return "any"
        return {name: shape(spec, inner, depth + 1, name) for name, inner in schema["properties"].items()}
    if kind == "integer" and name.endswith(AMOUNTS):
        return "number"
    return kind if kind in ("string", "number", "integer", "boolean") else "any"


def example_of(spec, content):
    """What the description itself sends, as a test's input."""
    if "example" in content:
        example = content["example"]
        return json.loads(example) if isinstance(example, str) else example
    schema = content.get("schema", {})
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if schema.get("type") == "array":
        inner = example_of(spec, {"schema": schema.get("items", {})})
        return None if inner is None else [inner]
    return schema.get("example")


def main():
    spec = yaml.safe_load((Path(sys.argv[1]) / "shipstation" / "shipstation-v1.openapi.yaml").read_text())
    operations = []
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if method not in ("get", "post", "put", "delete"):
                continue
            query = {p["name"]: p["schema"].get("type", "string") for p in operation.get("parameters", []) if p["in"] == "query"}
            query.update(MORE_QUERY.get((method.upper(), path), {}))
            out = {"method": method.upper(), "path": path, "query": query}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if body:
                out["body"] = shape(spec, body)
                inner = out["body"]["items"] if isinstance(out["body"], dict) and "items" in out["body"] and path == "/orders/createorders" else out["body"]
                if isinstance(inner, dict):
                    inner.update(MORE_BODY.get(path, {}))
                    for name, part in PARTS.items():
                        for field in (("billTo", "shipTo") if name == "address" else (name,)):
                            if field in inner:
                                inner[field] = part
            answer = operation.get("responses", {}).get("200", {}).get("content", {})
            if answer:
                out["answer"] = shape(spec, next(iter(answer.values()))["schema"])
            example = example_of(spec, operation.get("requestBody", {}).get("content", {}).get("application/json", {}))
            if example is not None:
                out["example"] = example
            operations.append(out)
    (Path(__file__).parent / "api.json").write_text(json.dumps(operations, indent=1) + "\n")


V2 = [("get", "/v2/labels"), ("get", "/v2/labels/{label_id}"), ("get", "/v2/labels/{label_id}/track"),
      ("get", "/v2/environment/webhooks"), ("post", "/v2/environment/webhooks"), ("get", "/v2/environment/webhooks/{webhook_id}"),
      ("put", "/v2/environment/webhooks/{webhook_id}"), ("delete", "/v2/environment/webhooks/{webhook_id}")]
# The vendor's own samples (its pages on tracking and on webhooks) have these; the description gives the field the codes
# of `status_detail_code`.
STATUS_CODES = ["UN", "NY", "AC", "IT", "AT", "EX", "DE", "SP"]
# Words for people and words of JSON Schema that say nothing of an answer's form.
LEFT_OUT = {"title", "description", "example", "examples", "readOnly", "writeOnly", "default", "deprecated", "x-nullable", "allOf", "$ref",
            "enumDescriptions", "minProperties"}


def whole(spec, schema):
    """A schema with what it refers to and what it is made of laid into it."""
    out = {}
    parts = list(schema.get("allOf", []))
    if "$ref" in schema:
        at = spec
        for part in schema["$ref"].lstrip("#/").split("/"):
            at = at[part]
        parts.append(at)
    for part in parts:
        inner = whole(spec, part)
        out["properties"] = {**out.get("properties", {}), **inner.pop("properties", {})}
        out["required"] = out.get("required", []) + inner.pop("required", [])
        out.update(inner)
    own = {key: value for key, value in schema.items() if key not in LEFT_OUT}
    properties = {name: whole(spec, inner) for name, inner in own.pop("properties", {}).items() if not inner.get("writeOnly")}
    out["properties"] = {**out.get("properties", {}), **properties}
    out["required"] = out.get("required", []) + own.pop("required", [])
    if "items" in own:
        own["items"] = whole(spec, own["items"])
    out.update(own)
    # OpenAPI 3.0 says with a truth what JSON Schema says with the bound itself.
    for word, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if out.get(word) in (True, 1) and bound in out:
            out[word] = out.pop(bound)
    # Null stands where there is nothing, in all of the vendor's samples.
    if out.get("enum") and "COLLECTION_FAILED" in out["enum"]:
        out["enum"] = STATUS_CODES + out["enum"]
    if schema.get("x-nullable") or out.get("format") == "date-time" or "enum" in out:
        if isinstance(out.get("type"), str):
            out["type"] = [out["type"], "null"]
        if None not in out.get("enum", [None]):
            out["enum"] = out["enum"] + [None]
    for empty in [key for key in ("properties", "required") if not out.get(key)]:
        out.pop(empty, None)
    return out


def second():
    spec = yaml.safe_load((Path(sys.argv[1]) / "shipstation" / "shipstation-v2.openapi.yaml").read_text())
    operations = []
    for method, path in V2:
        operation = spec["paths"][path][method]
        parameters = operation.get("parameters", [])
        for at, parameter in enumerate(parameters):
            if "$ref" in parameter:
                parameters[at] = spec["components"]["parameters"][parameter["$ref"].rsplit("/", 1)[1]]
        out = {"method": method.upper(), "path": path, "query": sorted(p["name"] for p in parameters if p["in"] == "query")}
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if body:
            out["body"] = whole(spec, body)
        answer = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
        if answer:
            out["answer"] = whole(spec, answer)
        operations.append(out)
    errors = whole(spec, spec["components"]["schemas"]["error_response_body"])
    methods = ("get", "post", "put", "patch", "delete")
    others = [f"{method.upper()} {path}" for path, all in spec["paths"].items() for method in all if method in methods and (method, path) not in V2]
    (Path(__file__).parent / "v2.json").write_text(json.dumps({"operations": operations, "others": others, "refusal": errors}, indent=1) + "\n")


main()
second()
