#!/usr/bin/env python3
"""Derives `schemas/salesforce`, `schemas/shipstation` and `schemas/shipstation-v2` from the systems' own descriptions.

    python3 schemas/derive.py DESCRIPTIONS

DESCRIPTIONS is a folder with `salesforce/describe/*.describe.json` (describe results),
`salesforce/standard-objects.fields.json` (names, types, nullability and relations of the other
standard objects), `shipstation/shipstation-v1.openapi.yaml` (a transcription of the vendor's
pages) and `shipstation/shipstation-v2.openapi.yaml` (the vendor's own). The form of what is written is told in docs/schema-format.md.

Where a description is known to be wrong or says too little, the correction stands below with its
reason, and nothing else is changed by hand.
"""
import json
import re
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).parent
AUDIT = {"Id", "IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp",
         "LastViewedDate", "LastReferencedDate", "LastActivityDate"}


def write(system, name, schema):
    path = HERE / system / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n")


def head(name, source, access, **more):
    out = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name}
    if more.get("doc"):
        out["description"] = more["doc"]
    out["x-source"] = source
    out["x-access"] = dict(zip(("read", "create", "update", "upsert"), access))
    for key in ("id", "stamp", "parent"):
        if more.get(key):
            out[f"x-{key}"] = more[key]
    for key in ("keys", "searchable", "events"):
        if more.get(key):
            out[f"x-{key}"] = more[key]
    out["x-class"] = more.get("cls", 2)
    out["type"] = "object"
    return out


def finish(out, properties, required=()):
    out["required"] = [name for name in properties if name in required]
    out["properties"] = properties
    out["additionalProperties"] = False
    return out


# ---------------------------------------------------------------- Salesforce

SF_DESCRIBE = "Salesforce describe (API 48.0), custom fields of that org left out"
SF_FIELDS = "Salesforce standard object field lists; picklists and writability from the Object Reference"
# A describe names objects that have no schema here; their relations are left out.
SF_OBJECTS = ["Account", "Asset", "Case", "Contact", "Contract", "Event", "Lead", "Opportunity", "OpportunityContactRole",
              "OpportunityLineItem", "Order", "OrderItem", "Pricebook2", "PricebookEntry", "Product2", "Task", "User"]

# Object Reference: picklists as they come with a new org. An org changes them, so all but
# OrderStatus' own codes are open; a client's snapshot (`schema pull`) replaces the object.
SF_PICKLISTS = {
    "Order.Status": (["Draft", "Activated"], False), "Order.StatusCode": (["Draft", "Activated"], False),
    "Order.Type": ([], True),
    "Task.Status": (["Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred"], True),
    "Task.Priority": (["High", "Normal", "Low"], True),
    "Task.CallType": (["Internal", "Inbound", "Outbound"], True),
    "Contract.Status": (["Draft", "In Approval Process", "Activated"], True),
    "Asset.Status": (["Shipped", "Installed", "Registered", "Obsolete", "Purchased"], True),
}
# The field list has one type for dates and instants, and one for numbers and money.
SF_DATES = {"EffectiveDate", "EndDate", "PoDate", "ServiceDate", "ActivityDate", "CloseDate", "StartDate", "PurchaseDate",
            "InstallDate", "UsageEndDate", "Birthdate", "RecurrenceStartDateOnly", "RecurrenceEndDateOnly",
            "CompanySignedDate", "CustomerSignedDate", "LastActivityDate"}
SF_MONEY = {"TotalAmount", "UnitPrice", "ListPrice", "TotalPrice", "Amount", "Price", "AnnualRevenue"}
SF_INTEGERS = {"SortOrder", "CallDurationInSeconds", "RecurrenceInterval", "RecurrenceDayOfWeekMask",
               "RecurrenceDayOfMonth", "ContractTerm"}
# Object Reference: what a create must have, what it cannot have.
SF_REQUIRED = {"Order": {"AccountId", "EffectiveDate", "Status"},
               "OrderItem": {"OrderId", "PricebookEntryId", "Quantity", "UnitPrice"},
               "Product2": {"Name"}, "Pricebook2": {"Name"},
               "PricebookEntry": {"Pricebook2Id", "Product2Id", "UnitPrice"},
               "OpportunityLineItem": {"OpportunityId", "PricebookEntryId", "Quantity"},
               "Task": set(), "Contract": {"AccountId"}, "Asset": {"Name"}}
SF_READ_ONLY = {"Order": {"OrderNumber", "TotalAmount", "StatusCode", "ActivatedDate", "ActivatedById", "IsReductionOrder"},
                "OrderItem": {"OrderItemNumber", "AvailableQuantity", "TotalPrice", "Product2Id", "ListPrice"},
                "OpportunityLineItem": {"Name", "ProductCode", "ListPrice"}, "Product2": {"IsArchived"},
                "PricebookEntry": {"Name", "ProductCode"}, "Task": {"IsClosed", "IsHighPriority", "IsArchived", "AccountId",
                                                                    "RecurrenceActivityId"},
                "Contract": {"ContractNumber", "StatusCode", "ActivatedDate"}, "Asset": set(), "Pricebook2": set()}
SF_LENGTHS = {"ProductCode": 255, "Name": 255, "OrderNumber": 30, "Description": 32000, "PoNumber": 80, "Subject": 255,
              "StockKeepingUnit": 180, "OrderItemNumber": 30, "OrderReferenceNumber": 80}
SF_ADDRESS = {"Street": 255, "City": 40, "State": 80, "PostalCode": 20, "Country": 80}
# Fields of the Object Reference that the field list of an org without them does not show.
SF_MORE = {
    "Order": {"Name": "string", "PoNumber": "string", "PoDate": "DateString", "OrderReferenceNumber": "string",
              "BillToContactId": "string", "ShipToContactId": "string"},
    "Product2": {"StockKeepingUnit": "string"},
}
SF_MORE_PARENTS = {"Order": {"BillToContact": "Contact", "ShipToContact": "Contact"}}
# Given by the system or required by it although the field list says nullable.
SF_NEVER_NULL = {"Order": {"AccountId"}, "OrderItem": {"UnitPrice"}}
SF_CHILDREN = {"Order": {"OrderItems": "OrderItem"}, "Account": {"Orders": "Order", "Contacts": "Contact", "Cases": "Case",
                                                              "Opportunities": "Opportunity"},
               "Opportunity": {"OpportunityLineItems": "OpportunityLineItem", "Orders": "Order"},
               "Product2": {"PricebookEntries": "PricebookEntry"}}


def sf_property(kind, extra):
    base = {"boolean": {"type": "boolean"}, "integer": {"type": "integer"}, "decimal": {"type": "number"},
            "money": {"type": "number", "x-kind": "money"}, "date": {"type": "string", "format": "date"},
            "datetime": {"type": "string", "format": "date-time"}, "time": {"type": "string", "format": "time"},
            "text": {"type": "string"}, "json": {"x-kind": "json"}}[kind]
    return {**base, **extra}


def nullable_type(prop):
    if "type" in prop:
        prop["type"] = [prop["type"], "null"]
        if "enum" in prop:
            prop["enum"] = prop["enum"] + [None]
    elif "$ref" in prop:
        ref = prop.pop("$ref")
        prop = {"anyOf": [{"$ref": ref}, {"type": "null"}], **prop}
    return prop


# Numbers and codes that name a record, not a person.
SF_BUSINESS = {"OrderNumber", "OrderItemNumber", "CaseNumber", "ContractNumber", "ProductCode", "StockKeepingUnit", "OrderReferenceNumber"}


def sf_finish(prop, *, create, update, nullable, required, doc=None, clas=None):
    if not (create or update):
        prop["readOnly"] = True
    else:
        if nullable and not required:
            prop = nullable_type(prop)
        if not create:
            prop["x-create"] = False
        if not update:
            prop["x-update"] = False
    if not nullable:
        prop["x-nullable"] = False
    if clas:
        prop["x-data-class"] = clas
    if doc:
        prop["description"] = doc
    return prop


def picklist(values, closed):
    if not values:
        return {"type": "string"}
    return {"type": "string", "enum" if closed else "x-values": values}


def relation(target, nullable):
    prop = {"$ref": f"{target}.json", "readOnly": True}
    if not nullable:
        prop["x-nullable"] = False
    prop["x-data-class"] = "business"
    return prop


def children(properties, name, described=()):
    known = dict(SF_CHILDREN.get(name, {}))
    for relation_name, target in described:
        if target in SF_OBJECTS and relation_name:
            known.setdefault(relation_name, target)
    for relation_name, target in known.items():
        properties.setdefault(relation_name, {"type": "array", "items": {"$ref": f"{target}.json"}, "x-wire": "records",
                                              "readOnly": True, "x-data-class": "business"})


def from_describe(name, described):
    properties, required, searchable, keys = {}, set(), [], []
    parents = {}
    for field in described["fields"]:
        field_name, kind = field["name"], field["type"]
        if field["custom"] or field_name.startswith("npe") or "__" in field_name:
            continue
        nullable, create, update = field["nillable"], field["createable"], field["updateable"]
        needed = create and not nullable and not field["defaultedOnCreate"]
        clas = None
        if kind in ("boolean",):
            prop = sf_property("boolean", {})
        elif kind in ("int", "long"):
            prop = sf_property("integer", {"x-digits": field["digits"]} if field["digits"] else {})
        elif kind in ("double", "percent", "currency"):
            prop = sf_property("money" if kind == "currency" else "decimal", {"x-places": field["scale"], "x-digits": field["precision"]})
        elif kind in ("date", "datetime", "time"):
            prop = sf_property(kind, {})
        elif kind == "picklist":
            values = [v["value"] for v in field["picklistValues"] if v["active"]]
            prop = picklist(values, field["restrictedPicklist"])
        elif kind == "multipicklist":
            prop = {"type": "string", "x-kind": "list", "x-separated": ";", "items": {"type": "string"}}
        elif kind == "address":
            prop = {"$ref": "Address.json"}
        else:
            prop = sf_property("text", {})
            if field["length"] and kind not in ("id", "reference"):
                prop["maxLength"] = field["length"]
        if kind in ("id", "reference", "picklist", "boolean", "int", "double", "percent", "currency", "datetime"):
            clas = "business"
        if field.get("idLookup") or field.get("externalId"):
            searchable.append(field_name)
        if field.get("externalId") and field.get("unique"):
            keys.append(field_name)
        if needed:
            required.add(field_name)
        properties[field_name] = sf_finish(prop, create=create, update=update, nullable=nullable, required=needed,
                                           doc=field.get("inlineHelpText") or field["label"], clas=clas)
        targets = field.get("referenceTo") or []
        if field.get("relationshipName") and len(targets) == 1 and targets[0] in SF_OBJECTS:
            parents[field["relationshipName"]] = (targets[0], nullable)
        elif field.get("relationshipName") == "Owner":
            parents["Owner"] = ("User", nullable)
    for relation_name, (target, nullable) in parents.items():
        properties.setdefault(relation_name, relation(target, nullable))
    children(properties, name, [(c["relationshipName"], c["childSObject"]) for c in described["childRelationships"]])
    out = head(name, SF_DESCRIBE, [described["queryable"], described["createable"], described["updateable"],
                                   described["createable"] and described["updateable"]],
               doc=described["label"], id="Id", stamp="SystemModstamp" if "SystemModstamp" in properties else None,
               keys=keys, searchable=searchable, cls=2)
    write("salesforce", name, finish(out, properties, required))


def from_fields(name, fields):
    properties, required = {}, SF_REQUIRED.get(name, set())
    known = dict(fields["fields"])
    for field_name, kind in SF_MORE.get(name, {}).items():
        known.setdefault(field_name, {"type": kind, "nullable": True})
    for field_name, field in known.items():
        kind = field["type"]
        nullable = field["nullable"] and field_name not in SF_NEVER_NULL.get(name, ())
        writable = field_name not in AUDIT and field_name not in SF_READ_ONLY.get(name, ())
        part = re.match(r"(Billing|Shipping|Mailing|Other)(Street|City|State|PostalCode|Country)$", field_name)
        clas = None
        if kind == "boolean":
            prop, clas = sf_property("boolean", {}), "business"
        elif kind == "number":
            clas = "business"
            if field_name in SF_MONEY:
                prop = sf_property("money", {"x-places": 2, "x-digits": 18})
            elif field_name in SF_INTEGERS:
                prop = sf_property("integer", {})
            elif field_name.endswith(("Latitude", "Longitude")):
                prop = sf_property("decimal", {"x-places": 15, "x-digits": 18})
            else:
                prop = sf_property("decimal", {"x-places": 2, "x-digits": 18})
        elif kind == "DateString":
            prop, clas = sf_property("date" if field_name in SF_DATES else "datetime", {}), "business"
        elif kind == "Address":
            prop, writable = {"$ref": "Address.json"}, False
        elif f"{name}.{field_name}" in SF_PICKLISTS:
            values, is_open = SF_PICKLISTS[f"{name}.{field_name}"]
            prop, clas = picklist(values, not is_open), "business"
        else:
            prop = sf_property("text", {})
            if part:
                prop["maxLength"] = SF_ADDRESS[part.group(2)]
            elif field_name in SF_LENGTHS:
                prop["maxLength"] = SF_LENGTHS[field_name]
            if field_name.endswith("Id") or field_name in SF_BUSINESS:
                clas = "business"
        update = writable and not (field_name.endswith("Id") and field_name in required)
        properties[field_name] = sf_finish(prop, create=writable, update=update, nullable=nullable,
                                           required=field_name in required, clas=clas)
    parents = {name: targets[0] for name, targets in fields["parentRelationships"].items() if len(targets) == 1}
    parents.update(SF_MORE_PARENTS.get(name, {}))
    for relation_name, target in parents.items():
        target = "User" if relation_name == "Owner" else target
        if target in SF_OBJECTS:
            id_field = known.get(f"{relation_name}Id", {"nullable": True})
            nullable = id_field["nullable"] and f"{relation_name}Id" not in SF_NEVER_NULL.get(name, ())
            properties.setdefault(relation_name, relation(target, nullable))
    children(properties, name, fields["childRelationships"].items())
    out = head(name, SF_FIELDS, [True, True, True, True], id="Id", stamp="SystemModstamp", searchable=["Id"],
               parent={"OrderItem": "OrderId", "OpportunityLineItem": "OpportunityId"}.get(name), cls=2)
    write("salesforce", name, finish(out, properties, required))


def salesforce(folder):
    fields = json.loads((folder / "standard-objects.fields.json").read_text())
    described = {path.name.split(".")[0]: path for path in (folder / "describe").glob("*.describe.json")}
    for name in SF_OBJECTS:
        if name in described:
            from_describe(name, json.loads(described[name].read_text()))
        elif name in fields:
            from_fields(name, fields[name])
    # Compound address fields, Object Reference: read only; the codes are there in orgs with state and
    # country picklists.
    address = {part: {"type": kind, "readOnly": True} for part, kind in
               [("street", "string"), ("city", "string"), ("state", "string"), ("stateCode", "string"),
                ("postalCode", "string"), ("country", "string"), ("countryCode", "string"), ("latitude", "number"),
                ("longitude", "number"), ("geocodeAccuracy", "string")]}
    lengths = {"street": 255, "city": 40, "state": 80, "stateCode": 10, "postalCode": 20, "country": 80, "countryCode": 10}
    for part, length in lengths.items():
        address[part]["maxLength"] = length
    write("salesforce", "Address", finish(head("Address", "Object Reference, compound address fields", [False] * 4, cls=3), address))
    user = {"Id": {"type": "string", "readOnly": True, "x-nullable": False, "x-data-class": "business"},
            "Name": {"type": "string", "readOnly": True, "x-nullable": False, "maxLength": 121},
            "FirstName": {"type": "string", "readOnly": True}, "LastName": {"type": "string", "readOnly": True, "x-nullable": False},
            "Email": {"type": "string", "readOnly": True, "x-nullable": False}, "Username": {"type": "string", "readOnly": True, "x-nullable": False},
            "IsActive": {"type": "boolean", "readOnly": True, "x-nullable": False, "x-data-class": "business"}}
    write("salesforce", "User", finish(head("User", "Object Reference, User, fields that a mapping reads", [True, False, False, False],
                                            id="Id", searchable=["Id", "Username"], cls=3), user))
    group = {"Id": {"type": "string", "readOnly": True, "x-nullable": False, "x-data-class": "business"},
             "Name": {"type": "string", "readOnly": True, "x-nullable": False, "maxLength": 40, "x-data-class": "business"},
             "DeveloperName": {"type": "string", "readOnly": True, "maxLength": 80, "x-data-class": "business"},
             "Type": {"type": "string", "readOnly": True, "x-values": ["Regular", "Queue", "Role", "Organization"], "x-data-class": "business"}}
    write("salesforce", "Group", finish(head("Group", "Object Reference, Group, fields that a mapping reads", [True, False, False, False],
                                             id="Id", searchable=["Id", "DeveloperName"], cls=3, doc="A queue or a public group"), group))


# ---------------------------------------------------------------- ShipStation V1

SS = "ShipStation V1 API reference (transcription of 2021), corrected by its prose"
ZONED = {"type": "string", "x-kind": "datetime", "x-zone": "America/Los_Angeles", "x-pattern": "%Y-%m-%dT%H:%M:%S"}
# The transcription gives amounts as integers where an example happened to be whole.
AMOUNTS = {"orderTotal", "amountPaid", "taxAmount", "shippingAmount", "unitPrice", "shipmentCost", "insuranceCost",
           "insuredValue", "fulfillmentFee", "price", "defaultCost", "balance"}
# `M/D/YYYY` examples are how the transcription was made; the requirements page takes and gives ISO
# 8601 without an offset, in Pacific time.
TIMES = {"orderDate", "createDate", "modifyDate", "paymentDate", "shipByDate", "voidDate", "deliveryDate", "refreshDate",
         "lastRefreshAttempt"}
DATES = {"shipDate", "holdUntilDate"}
WEIGHT = {"type": "object", "x-kind": "weight", "x-units": ["grams", "ounces", "pounds"],
          "properties": {"value": {"type": "number"}, "units": {"enum": ["grams", "ounces", "pounds"]}},
          "required": ["value", "units"]}
# What the API gives beside what it takes: orders that are with a fulfillment provider; more may come.
ORDER_STATUS_GIVEN = ["awaiting_payment", "awaiting_shipment", "pending_fulfillment", "rejected_fulfillment", "shipped", "on_hold", "cancelled"]
ORDER_STATUS = ["awaiting_payment", "awaiting_shipment", "shipped", "on_hold", "cancelled"]
CONFIRMATION = ["none", "delivery", "signature", "adult_signature", "direct_signature"]
BUSINESS = {"carrierCode", "serviceCode", "packageCode", "sku", "orderKey", "orderNumber", "lineItemKey", "name_", "quantity",
            "trackingNumber", "orderStatus", "confirmation", "units", "code"}
TYPES = {
    "Order": ("GetOrderresponse", {"billTo": "Address", "shipTo": "Address", "items": "OrderItem", "dimensions": "Dimensions",
                                   "insuranceOptions": "InsuranceOptions", "internationalOptions": "InternationalOptions",
                                   "advancedOptions": "AdvancedOptions"}),
    "OrderItem": ("Item", {"options": "ItemOption"}),
    "ItemOption": ("Option", {}),
    "Address": ("BillTo", {}),
    "Dimensions": ("Dimensions", {}),
    "InsuranceOptions": ("InsuranceOptions", {}),
    "InternationalOptions": ("InternationalOptions4", {"customsItems": "CustomsItem"}),
    "CustomsItem": ("CustomsItem", {}),
    "AdvancedOptions": ("AdvancedOptions", {}),
    "Shipment": ("Shipment", {"shipTo": "Address", "shipmentItems": "ShipmentItem", "dimensions": "Dimensions",
                              "insuranceOptions": "InsuranceOptions", "advancedOptions": "AdvancedOptions"}),
    "ShipmentItem": ("ShipmentItem", {"options": "ItemOption"}),
    "Fulfillment": ("Fulfillment", {"shipTo": "Address"}),
    "Store": ("GetStoreresponse", {}),
    "Warehouse": ("GetWarehouseresponse", {"originAddress": "Address", "returnAddress": "Address"}),
    "Carrier": ("GetCarrierresponse", {}),
    "Service": ("ListServicesresponse", {}),
    "Package": ("ListPackagesresponse", {}),
    "Tag": ("Tag", {}),
    "Customer": ("Customer", {}),
    "Product": ("Product", {}),
    # What is asked for and what is answered, in one object: what only the answer has is read-only.
    "Label": ("CreateLabelforOrderrequest+CreateLabelforOrderresponse",
              {"dimensions": "Dimensions", "insuranceOptions": "InsuranceOptions", "internationalOptions": "InternationalOptions",
               "advancedOptions": "AdvancedOptions"}),
    "ExternalShipment": ("MarkanOrderasShippedrequest+MarkanOrderasShippedresponse", {}),
}
REQUIRED = {"Order": {"orderNumber", "orderDate", "orderStatus", "billTo", "shipTo"},  # the prose of createorder
            "ItemOption": {"name"},
            "Label": {"orderId", "carrierCode", "serviceCode", "confirmation", "shipDate", "testLabel"},  # the prose of createlabelfororder
            "ExternalShipment": {"orderId", "carrierCode"}}  # the prose of markasshipped
READ_ONLY = {"Order": {"orderId", "createDate", "modifyDate", "orderTotal", "shipDate", "holdUntilDate", "userId",
                       "externallyFulfilled", "externallyFulfilledBy", "customerId"},
             "OrderItem": {"orderItemId", "createDate", "modifyDate"},
             "Address": {"addressVerified"},
             "AdvancedOptions": {"mergedOrSplit", "mergedIds", "parentId"},
             "Label": {"shipmentId", "shipmentCost", "insuranceCost", "trackingNumber", "labelData", "formData"},
             "ExternalShipment": {"orderNumber"}}
LISTS = {"items", "options", "customsItems", "shipmentItems"}
NEVER_NULL = {"Order": {"orderId", "orderNumber", "orderKey", "orderDate", "createDate", "modifyDate", "orderStatus", "billTo", "shipTo", "items"},
              "OrderItem": {"quantity"}, "Shipment": {"shipmentId", "orderId", "orderNumber", "createDate", "shipDate", "voided"},
              "Fulfillment": {"fulfillmentId", "orderId", "orderNumber", "createDate", "voided"},
              "Store": {"storeId", "storeName", "active"}, "Warehouse": {"warehouseId", "warehouseName"},
              "Carrier": {"name", "code"}, "Service": {"carrierCode", "code", "name"}, "Package": {"carrierCode", "code", "name"},
              "Label": {"shipmentId", "orderId"}, "ExternalShipment": {"orderId"},
              "Tag": {"tagId", "name"}, "Customer": {"customerId"}, "Product": {"productId", "sku", "name"}}
OVERRIDES = {
    ("Order", "orderStatus"): {"type": "string", "enum": ORDER_STATUS, "x-values": ORDER_STATUS_GIVEN},
    ("Order", "confirmation"): {"type": "string", "enum": CONFIRMATION},
    ("Shipment", "confirmation"): {"type": "string", "enum": CONFIRMATION},
    ("Label", "confirmation"): {"type": "string", "enum": CONFIRMATION},
    ("Label", "labelData"): {"type": "string", "description": "the label as a PDF in base64; the connector does not pass it on"},
    ("Label", "formData"): {"type": "string", "description": "customs forms in base64; the connector does not pass them on"},
    ("Order", "tagIds"): {"type": "array", "items": {"type": ["integer", "string"], "x-reference": "Tag"}},
    ("AdvancedOptions", "storeId"): {"type": ["integer", "string"], "x-reference": "Store", "x-update": False,
                                     "description": "only taken when the order is created; without it the first manual store"},
    ("AdvancedOptions", "warehouseId"): {"type": ["integer", "string"], "x-reference": "Warehouse"},
    ("AdvancedOptions", "mergedIds"): {"type": "array", "items": {"type": "integer"}},
    ("InternationalOptions", "contents"): {"type": "string", "enum": ["merchandise", "documents", "gift", "returned_goods", "sample"]},
    ("InternationalOptions", "nonDelivery"): {"type": "string", "enum": ["return_to_sender", "treat_as_abandoned"]},
    ("CustomsItem", "value"): {"type": "number", "x-kind": "money", "x-currency": "USD", "description": "in US dollars"},
    ("InsuranceOptions", "insuredValue"): {"type": "number", "x-kind": "money", "x-currency": "USD", "x-data-class": "business"},
    ("CustomsItem", "quantity"): {"type": "integer", "minimum": 0},
    ("CustomsItem", "customsItemId"): {"type": "integer", "description": "an update that omits it adds a line"},
    ("Address", "residential"): {"type": "boolean"},
    ("Dimensions", "units"): {"type": "string", "enum": ["inches", "centimeters"]},
    ("InsuranceOptions", "provider"): {"type": "string", "enum": ["shipsurance", "carrier", "provider", "xcover", "parcelguard"]},
    ("OrderItem", "quantity"): {"type": "integer", "minimum": 0},
    ("Shipment", "status"): {"type": "string", "readOnly": True, "x-nullable": False, "x-data-class": "business",
                             "enum": ["shipped", "in_transit", "delivered", "exception", "returned", "voided"],
                             "description": "made by the connector: voided by `voided`, the others by tracking events; V1 itself has no status"},
    ("Shipment", "customerEmail"): {"type": "string", "readOnly": True, "description": "of the order; filled in by the connector"},
    ("Shipment", "orderTotal"): {"type": "number", "x-kind": "money", "readOnly": True, "x-data-class": "business",
                                 "description": "of the order; filled in by the connector"},
    ("Shipment", "orders"): {"type": "array", "items": {"$ref": "Order.json"}, "readOnly": True,
                             "description": "the orders combined in it; filled in by the connector"},
}
# Codes that a mapping may write by the name of the thing.
NAMES = {"carrierCode": "Carrier", "serviceCode": "Service"}
COMMON = {("Order", "orderKey"): "without it a repeated create makes a second order",
          ("Order", "customerEmail"): "ShipStation sends the shipping news to it",
          ("Order", "items"): "a packing slip lists them",
          ("OrderItem", "sku"): "the pick list and stock go by it", ("OrderItem", "name"): "the packing slip shows it",
          ("OrderItem", "quantity"): "an item without it counts as none"}
ACCESS = {"Order": dict(access=[True, True, True, True], id="orderId", stamp="modifyDate", keys=["orderKey"],
                        searchable=["orderNumber", "orderKey"], events=["ORDER_NOTIFY", "ITEM_ORDER_NOTIFY"], cls=0),
          "Shipment": dict(access=[True, False, False, False], id="shipmentId", stamp="createDate",
                           searchable=["trackingNumber", "orderNumber"], events=["SHIP_NOTIFY", "ITEM_SHIP_NOTIFY"], cls=3),
          "Fulfillment": dict(access=[True, False, False, False], id="fulfillmentId", stamp="createDate",
                              searchable=["trackingNumber", "orderNumber"], events=["FULFILLMENT_SHIPPED", "FULFILLMENT_REJECTED"], cls=3),
          "Label": dict(access=[False, True, False, False], id="shipmentId", searchable=["orderId"], cls=2,
                        doc="A label for an order (createlabelfororder): it is bought, and the order is shipped."),
          "ExternalShipment": dict(access=[False, True, False, False], id="orderId", searchable=["orderId"], cls=2,
                                   doc="Word that an order was shipped without a label of ShipStation (markasshipped).")}
for _name, _id in [("Store", "storeId"), ("Warehouse", "warehouseId"), ("Carrier", "code"), ("Service", "code"), ("Package", "code"),
                   ("Tag", "tagId"), ("Customer", "customerId"), ("Product", "productId")]:
    ACCESS[_name] = dict(access=[True, False, False, False], id=_id, cls=3)


def shipstation(path):
    schemas = yaml.safe_load(path.read_text())["components"]["schemas"]
    for name, (described, inner) in TYPES.items():
        properties = {}
        of = ACCESS.get(name, dict(access=[False] * 4, cls=3))
        readable_only = name in ACCESS and not any(of["access"][1:])
        fields = {}
        for one in described.split("+"):
            fields = {**fields, **{name: field for name, field in schemas[one]["properties"].items() if name not in fields}}
        for owner, field_name in OVERRIDES:
            if owner == name:
                fields.setdefault(field_name, {})
        for field_name, field in fields.items():
            if (name, field_name) in OVERRIDES:
                prop = dict(OVERRIDES[name, field_name])
            elif field_name in inner:
                ref = {"$ref": f"{inner[field_name]}.json"}
                prop = {"type": "array", "items": ref} if field_name in LISTS else ref
            elif field_name == "weight":
                prop = json.loads(json.dumps(WEIGHT))
            elif field_name in TIMES:
                prop = dict(ZONED)
            elif field_name in DATES:
                prop = {"type": "string", "format": "date"}
            elif field_name in AMOUNTS:
                prop = {"type": "number", "x-kind": "money"}
            elif field_name in ("length", "width", "height"):
                prop = {"type": "number", "minimum": 0}
            elif field.get("type") == "array":
                prop = {"x-kind": "json"}
            elif "$ref" in field:
                prop = {"x-kind": "json"}
            else:
                prop = {"type": field.get("type", "string")}
            if readable_only or field_name in READ_ONLY.get(name, ()):
                prop["readOnly"] = True
            elif prop == {"type": "string"} and field_name not in REQUIRED.get(name, ()) and field_name != "orderKey":
                # Null where nothing is set, in what the API gives; it takes the same back.
                prop["type"] = ["string", "null"]
            if field_name in NEVER_NULL.get(name, ()):
                prop["x-nullable"] = False
            if field_name in NAMES and not prop.get("readOnly"):
                prop["x-names"] = NAMES[field_name]
            if field_name in BUSINESS or field_name.endswith("Id") or prop.get("x-kind") in ("datetime", "money", "weight") \
                    or prop.get("type") in ("integer", "number", "boolean"):
                prop["x-data-class"] = "business"
            if (name, field_name) in COMMON:
                prop["x-common"] = COMMON[name, field_name]
            properties[field_name] = prop
        if name == "Order":
            # Read only by other clients' word: an order that the marketplace holds back.
            properties["orderStatus"]["x-nullable"] = False
        access = of.pop("access")
        write("shipstation", name, finish(head(name, SS, access, **of), properties, REQUIRED.get(name, ())))


# ---------------------------------------------------------------- ShipStation V2

SS2 = "ShipStation V2 OpenAPI description"
TRACK_WEBHOOK = "TRACK_EVENT_V2"  # the prose of the webhook guide; the description has only the event `track`
# The vendor's samples of this field have these; its description gives it the codes of `status_detail_code`.
STATUS_CODES = ["UN", "NY", "AC", "IT", "AT", "EX", "DE", "SP"]
V2_PERSONAL = {"city_locality", "state_province", "postal_code", "signer", "latitude", "longitude", "proof_of_delivery_url", "description",
               "exception_description"}
# Of a label: what a mapping of tracking events asks for. Files, forms and rates stay out.
V2_LABEL = ["label_id", "status", "shipment_id", "external_shipment_id", "external_order_id", "ship_date", "created_at", "shipment_cost",
            "insurance_cost", "tracking_number", "is_return_label", "rma_number", "is_international", "batch_id", "carrier_id", "service_code",
            "package_code", "voided", "voided_at", "trackable", "carrier_code", "tracking_status"]
# Never null, by the samples of the answers.
V2_NEVER_NULL = {"Tracking": {"label_id", "tracking_number", "status_code", "events"}, "TrackEvent": {"occurred_at"},
                 "TrackedLabel": {"label_id", "status", "created_at", "voided"}}


def shipstation_v2(path):
    schemas = yaml.safe_load(path.read_text())["components"]["schemas"]

    def whole(field):
        """A field with what it refers to laid under it."""
        out = {}
        for part in field.get("allOf", []):
            out.update(whole(part))
        if "$ref" in field:
            out.update(whole(schemas[field["$ref"].rsplit("/", 1)[1]]))
        return {**out, **{key: value for key, value in field.items() if key not in ("allOf", "$ref")}}

    def prop(owner, name, field):
        field = whole(field)
        doc = (field.get("description") or "").strip().split("\n")[0].strip()
        if name == "events":
            out = {"type": "array", "items": {"$ref": "TrackEvent.json"}}
        elif name == "status_code":
            out = {"type": "string", "x-values": STATUS_CODES}
            doc = "the carrier's status in one of eight codes"
        elif name == "status_detail_code":
            out = {"type": "string", "x-values": field["enum"]}
            doc = "the status in detail; absent where the carrier says none"
        elif name in ("shipment_cost", "insurance_cost"):
            out = {"$ref": "MonetaryValue.json"}
        elif name == "amount":
            out = {"type": "number", "x-kind": "money", "x-currency-field": "currency"}
        elif field.get("title") == "date":
            out = {"type": "string", "format": "date"}
        elif field.get("format") == "date-time":
            out = {"type": "string", "format": "date-time"}
        elif "enum" in field:
            out = {"type": "string", "x-values": field["enum"]}
        else:
            out = {"type": field["type"]}
        out["readOnly"] = True
        if name in V2_NEVER_NULL.get(owner, ()):
            out["x-nullable"] = False
        if name not in V2_PERSONAL:
            out["x-data-class"] = "business"
        if doc and not doc.startswith("|"):
            out["description"] = doc
        return out

    read_only = [True, False, False, False]
    tracking = {"label_id": {"type": "string", "readOnly": True, "x-nullable": False, "x-data-class": "business",
                             "description": "the label that is tracked; filled in by the connector"}}
    for name, field in whole(schemas["tracking_information"])["properties"].items():
        tracking[name] = prop("Tracking", name, field)
    tracking["label"] = {"$ref": "TrackedLabel.json", "readOnly": True, "x-nullable": False, "x-data-class": "business",
                         "description": "the label itself: a further call for each record, where it is read"}
    write("shipstation-v2", "Tracking", finish(head("Tracking", SS2, read_only, id="label_id", searchable=["tracking_number"],
                                                     events=[TRACK_WEBHOOK], cls=3, doc="Where a parcel is, by its label"), tracking))
    event = whole(schemas["tracking_information"]["properties"]["events"]["items"])["properties"]
    event = {name: prop("TrackEvent", name, field) for name, field in event.items()}
    write("shipstation-v2", "TrackEvent", finish(head("TrackEvent", SS2, [False] * 4, cls=3), event))
    label = whole(schemas["label"])["properties"]
    label = {name: prop("TrackedLabel", name, label[name]) for name in V2_LABEL}
    write("shipstation-v2", "TrackedLabel", finish(head("TrackedLabel", SS2, [False] * 4, cls=3, doc="A label, as its tracking needs it"), label))
    value = {name: prop("MonetaryValue", name, field) for name, field in whole(schemas["monetary_value"])["properties"].items()}
    write("shipstation-v2", "MonetaryValue", finish(head("MonetaryValue", SS2, [False] * 4, cls=3), value))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    source = Path(sys.argv[1])
    salesforce(source / "salesforce")
    shipstation(source / "shipstation" / "shipstation-v1.openapi.yaml")
    shipstation_v2(source / "shipstation" / "shipstation-v2.openapi.yaml")
