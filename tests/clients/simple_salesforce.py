"""simple-salesforce against the sandbox: one line for each check."""
import datetime
import os
import sys
import time

# This file is named as the package is.
sys.path = [path for path in sys.path if os.path.abspath(path or ".") != os.path.dirname(os.path.abspath(__file__))]

import requests  # noqa: E402
from simple_salesforce import Salesforce, SFType, format_soql  # noqa: E402
from simple_salesforce.exceptions import (  # noqa: E402
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)

URL = os.environ["SALESFORCE"]


class Plain(requests.adapters.HTTPAdapter):
    """The package knows https only."""

    def send(self, request, *args, **kwargs):
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


session = requests.Session()
session.mount("https://", Plain())
form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox"}
token = requests.post(f"{URL}/services/oauth2/token", data=form).json()
sf = Salesforce(instance_url=URL.replace("http://", "https://"), session_id=token["access_token"], session=session, version="62.0")
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def refused(kind, call, code=None):
    try:
        call()
    except kind as error:
        assert code is None or error.content[0]["errorCode"] == code, error.content
        return error
    raise AssertionError("it was not refused")


def soql(name, query, holds=lambda answer: answer["done"] is True):
    def function():
        assert holds(sf.query(query))

    function.__name__ = name
    CHECKS.append(function)


def not_imitated(name, call):
    """The vendor answers; the sandbox has to say that it does not imitate it."""

    def function():
        call()
        raise AssertionError("it was answered")

    function.__name__ = name
    CHECKS.append(function)


order = sf.query("SELECT Id, AccountId FROM Order ORDER BY Id LIMIT 1")["records"][0]
account = order["AccountId"]
contact = sf.query("SELECT Id FROM Contact ORDER BY Id LIMIT 1")["records"][0]["Id"]


@check
def token_members():
    assert {"access_token", "instance_url", "id", "issued_at", "signature", "token_type"} <= set(token)


@check
def identity():
    path = token["id"].split("/id/")[1]
    told = session.get(f"{URL}/id/{path}", headers=sf.headers).json()
    assert told["user_id"] == path.split("/")[1] and told["organization_id"] == path.split("/")[0]


@check
def userinfo():
    told = sf.oauth2("userinfo") if hasattr(sf, "oauth2") else session.get(f"{URL}/services/oauth2/userinfo", headers=sf.headers).json()
    assert told["user_id"] and told["organization_id"]


@check
def is_sandbox():
    assert sf.query("SELECT IsSandbox FROM Organization LIMIT 1")["records"][0]["IsSandbox"] is True and sf.is_sandbox() is True


@check
def versions():
    told = requests.get(f"{URL}/services/data").json()
    assert {"label", "url", "version"} == set(told[0]) and any(one["version"] == "62.0" for one in told)


@check
def unknown_version():
    old = Salesforce(instance_url=URL.replace("http://", "https://"), session_id=token["access_token"], session=session, version="19.0")
    refused(SalesforceResourceNotFound, lambda: old.query("SELECT Id FROM Order"))


@check
def wrong_token():
    other = Salesforce(instance_url=URL.replace("http://", "https://"), session_id="other", session=session, version="62.0")
    refused(SalesforceExpiredSession, lambda: other.query("SELECT Id FROM Order"), "INVALID_SESSION_ID")


@check
def describe_all():
    told = sf.describe()
    assert told["maxBatchSize"] == 200 and {"Account", "Order", "Shipment__c"} <= {one["name"] for one in told["sobjects"]}
    assert next(one for one in told["sobjects"] if one["name"] == "Shipment__c")["custom"] is True


@check
def describe_one():
    told = sf.Account.describe()
    fields = {one["name"]: one for one in told["fields"]}
    assert fields["Industry"]["length"] == 40 and fields["Name"]["nameField"] and told["keyPrefix"] == "001"


@check
def metadata():
    told = sf.Account.metadata()
    assert told["objectDescribe"]["name"] == "Account" and isinstance(told["recentItems"], list)


@check
def limits():
    told = sf.limits()
    assert {"Max", "Remaining"} == set(told["DailyApiRequests"])


@check
def query_more():
    first = sf.query("SELECT Id FROM OrderItem ORDER BY Id", headers={"Sforce-Query-Options": "batchSize=200"})
    assert first["totalSize"] == len(sf.query_all("SELECT Id FROM OrderItem ORDER BY Id")["records"])


@check
def query_all_iter():
    assert len(list(sf.query_all_iter("SELECT Id FROM Order"))) == 50


@check
def query_deleted():
    made = sf.Account.create({"Name": "Gone"})
    sf.Account.delete(made["id"])
    query = format_soql("SELECT Id, IsDeleted FROM Account WHERE Id = {}", made["id"])
    assert sf.query(query)["totalSize"] == 0 and sf.query_all(query, include_deleted=True)["records"][0]["IsDeleted"] is True


@check
def format_soql_values():
    query = format_soql("SELECT Id FROM Account WHERE Name IN {names} AND CreatedDate < {at} AND Name LIKE '{:like}%'", "It's", names=["a'b", 'c"d'], at=datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc))
    assert sf.query(query)["totalSize"] == 0


soql("soql_date_literal", "SELECT Id FROM Order WHERE CreatedDate = LAST_N_DAYS:7 LIMIT 1", lambda told: told["totalSize"] == 1)
soql("soql_today", "SELECT Id FROM Order WHERE CreatedDate >= YESTERDAY AND CreatedDate < TOMORROW LIMIT 1", lambda told: told["totalSize"] == 1)
soql("soql_group", "SELECT Status, COUNT(Id) n FROM Order GROUP BY Status HAVING COUNT(Id) > 0", lambda told: sum(one["n"] for one in told["records"]) == 50)
soql("soql_aggregates", "SELECT SUM(TotalAmount), AVG(TotalAmount), MIN(TotalAmount), MAX(TotalAmount), COUNT_DISTINCT(AccountId) FROM Order", lambda told: {"expr0", "expr4"} < set(told["records"][0]))
soql("soql_count", "SELECT COUNT() FROM Order", lambda told: told["totalSize"] == 50 and told["records"] == [])
soql("soql_rollup", "SELECT Status, COUNT(Id) FROM Order GROUP BY ROLLUP(Status)", lambda told: told["records"][-1]["expr0"] == 50)
soql("soql_date_function", "SELECT CALENDAR_MONTH(CreatedDate) m, COUNT(Id) FROM Order GROUP BY CALENDAR_MONTH(CreatedDate)", lambda told: 1 <= told["records"][0]["m"] <= 12)
soql("soql_label", "SELECT toLabel(Status) FROM Order LIMIT 1", lambda told: isinstance(told["records"][0]["Status"], str))
soql("soql_fields", "SELECT FIELDS(ALL) FROM Account LIMIT 1", lambda told: "Name" in told["records"][0])
soql("soql_security", "SELECT Id FROM Account WITH SECURITY_ENFORCED LIMIT 1")
soql("soql_for_view", "SELECT Id FROM Account LIMIT 1 FOR VIEW")
soql("soql_scope", "SELECT Id FROM Account USING SCOPE everything LIMIT 1")
soql("soql_children", "SELECT Id, (SELECT Id FROM OrderItems) FROM Order LIMIT 1", lambda told: told["records"][0]["OrderItems"]["done"] is True)
soql("soql_parents", "SELECT Account.Owner.Name FROM Contact LIMIT 1", lambda told: "Name" in told["records"][0]["Account"]["Owner"])
soql("soql_semi_join", "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Order) LIMIT 1")
for at, query in enumerate(["SELECT FORMAT(TotalAmount) a FROM Order", "SELECT convertCurrency(TotalAmount) FROM Order", "SELECT TYPEOF What WHEN Account THEN Phone END FROM Event", "SELECT DISTANCE(BillingAddress, GEOLOCATION(1,1), 'km') FROM Account", "SELECT Id FROM Campaign"]):
    not_imitated(f"soql_named_{at}", lambda query=query: sf.query(query))


@check
def soql_malformed():
    refused(SalesforceMalformedRequest, lambda: sf.query("SELECT Id FROM Order WHERE"), "MALFORMED_QUERY")
    refused(SalesforceMalformedRequest, lambda: sf.query("SELECT Nothing FROM Order"), "INVALID_FIELD")
    refused(SalesforceMalformedRequest, lambda: sf.query("SELECT Id FROM Nonsense"), "INVALID_TYPE")


@check
def create_get_update_delete():
    made = sf.Account.create({"Name": "simple", "Phone": "1"})
    assert made["success"] is True and made["errors"] == [] and len(made["id"]) == 18
    assert sf.Account.get(made["id"])["Name"] == "simple"
    assert sf.Account.update(made["id"], {"Phone": "2"}) == 204
    assert sf.Account.get(made["id"], params={"fields": "Phone"})["Phone"] == "2" if "params" in SFType.get.__code__.co_varnames else True
    assert sf.Account.delete(made["id"]) == 204
    refused(SalesforceResourceNotFound, lambda: sf.Account.get(made["id"]), "ENTITY_IS_DELETED")


@check
def upsert_by_external_id():
    body = {"Order__c": order["Id"], "Status__c": "Shipped"}
    assert sf.Shipment__c.upsert("Shipment_Key__c/simple-1", body) == 201
    assert sf.Shipment__c.upsert("Shipment_Key__c/simple-1", body) == 200
    assert sf.Shipment__c.get_by_custom_id("Shipment_Key__c", "simple-1")["Shipment_Key__c"] == "simple-1"


@check
def several_of_one_external_id():
    for _ in range(2):
        sf.Contact.create({"LastName": "Twin", "Email": "twin@example.com"})
    refused(SalesforceMoreThanOneRecord, lambda: sf.Contact.get_by_custom_id("Email", "twin@example.com"))


@check
def a_word_for_an_id():
    error = refused(SalesforceResourceNotFound, lambda: sf.Account.get("Nonsense"), "NOT_FOUND")
    assert error.content[0]["message"].endswith("does not exist or is not accessible: Nonsense")


@check
def unknown_object():
    refused(SalesforceResourceNotFound, lambda: sf.Nonsense__c.get("001000000000000AAA"), "NOT_FOUND")


@check
def reference_of_another_object():
    error = refused(SalesforceMalformedRequest, lambda: sf.Contact.create({"LastName": "x", "AccountId": contact}), "FIELD_INTEGRITY_EXCEPTION")
    assert error.content[0]["fields"] == ["AccountId"]


@check
def duplicate_value():
    body = {"Order__c": order["Id"], "Shipment_Key__c": "simple-2"}
    sf.Shipment__c.create(body)
    error = refused(SalesforceMalformedRequest, lambda: sf.Shipment__c.create(body), "DUPLICATE_VALUE")
    assert error.content[0]["fields"] == []


@check
def required_field():
    error = refused(SalesforceMalformedRequest, lambda: sf.Contact.create({"FirstName": "x"}), "REQUIRED_FIELD_MISSING")
    assert error.content[0]["fields"] == ["LastName"]


@check
def unknown_field():
    refused(SalesforceMalformedRequest, lambda: sf.Account.create({"Name": "x", "Nothing": 1}), "INVALID_FIELD")


@check
def updated_and_deleted():
    now = datetime.datetime.now(datetime.timezone.utc)
    told = sf.Account.updated(now - datetime.timedelta(minutes=30), now + datetime.timedelta(minutes=30))
    assert isinstance(told["ids"], list) and told["latestDateCovered"]
    told = sf.Account.deleted(now - datetime.timedelta(minutes=30), now + datetime.timedelta(minutes=30))
    assert {"deletedRecords", "earliestDateAvailable", "latestDateCovered"} == set(told)


@check
def restful_relation():
    told = sf.restful(f"sobjects/Account/{account}/Contacts")
    assert told["done"] is True and told["records"][0]["attributes"]["type"] == "Contact"
    assert sf.restful(f"sobjects/Order/{order['Id']}/Account")["Id"] == account


@check
def restful_resources():
    told = sf.restful("")
    assert {"sobjects", "query", "limits", "composite"} <= set(told)


@check
def composite():
    parts = [{"method": "POST", "url": "/services/data/v62.0/sobjects/Account", "referenceId": "a", "body": {"Name": "c"}}, {"method": "GET", "url": "/services/data/v62.0/sobjects/Account/@{a.id}", "referenceId": "g"}]
    told = sf.restful("composite", method="POST", json={"compositeRequest": parts})["compositeResponse"]
    assert [one["httpStatusCode"] for one in told] == [201, 200] and told[0]["httpHeaders"]["Location"].endswith(told[0]["body"]["id"])


@check
def composite_batch():
    told = sf.restful("composite/batch", method="POST", json={"batchRequests": [{"method": "GET", "url": f"v62.0/sobjects/Account/{account}"}, {"method": "GET", "url": "v62.0/limits"}]})
    assert told["hasErrors"] is False and [one["statusCode"] for one in told["results"]] == [200, 200]


@check
def composite_tree():
    told = sf.restful("composite/tree/Account", method="POST", json={"records": [{"attributes": {"type": "Account", "referenceId": "r"}, "Name": "t", "Contacts": {"records": [{"attributes": {"type": "Contact", "referenceId": "s"}, "LastName": "u"}]}}]})
    assert told["hasErrors"] is False and [one["referenceId"] for one in told["results"]] == ["r", "s"]


@check
def composite_graph():
    told = sf.restful("composite/graph", method="POST", json={"graphs": [{"graphId": "1", "compositeRequest": [{"method": "POST", "url": "/services/data/v62.0/sobjects/Account", "referenceId": "a", "body": {"Name": "c"}}]}]})
    assert told["graphs"][0]["isSuccessful"] is True


@check
def collections():
    told = sf.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": [{"attributes": {"type": "Account"}, "Name": "x"}, {"attributes": {"type": "Contact"}}]})
    assert [one["success"] for one in told] == [True, False] and told[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    told = sf.restful("composite/sobjects", method="DELETE", params={"ids": told[0]["id"]})
    assert told[0]["success"] is True


@check
def collection_chunks():
    records = [{"attributes": {"type": ["Account", "Contact"][at % 2]}, ["Name", "LastName"][at % 2]: "x"} for at in range(11)]
    refused(SalesforceMalformedRequest, lambda: sf.restful("composite/sobjects", method="POST", json={"records": records}), "LIMIT_EXCEEDED")


@check
def bulk2_insert_and_results():
    told = sf.bulk2.Account.insert(records=[{"Name": "bulk one"}, {"Name": "bulk two"}])
    assert told[0]["numberRecordsProcessed"] == 2 and told[0]["numberRecordsFailed"] == 0
    assert "bulk one" in sf.bulk2.Account.get_successful_records(told[0]["job_id"])
    assert sf.bulk2.Account.get_failed_records(told[0]["job_id"]) is not None
    assert sf.bulk2.Account.get_unprocessed_records(told[0]["job_id"]) is not None


@check
def bulk2_upsert_and_delete():
    told = sf.bulk2.Shipment__c.upsert(records=[{"Shipment_Key__c": "bulk-1", "Order__c": order["Id"]}], external_id_field="Shipment_Key__c")
    assert told[0]["numberRecordsProcessed"] == 1
    made = sf.Account.create({"Name": "to go"})
    told = sf.bulk2.Account.delete(records=[{"Id": made["id"]}])
    assert told[0]["numberRecordsProcessed"] == 1


@check
def bulk2_query():
    pages = list(sf.bulk2.Account.query("SELECT Id, Name, Owner.Name FROM Account ORDER BY Id"))
    assert pages and pages[0].splitlines()[0] == '"Id","Name","Owner.Name"'


@check
def last_call_usage():
    sf.query("SELECT Id FROM Order LIMIT 1")
    assert sf.api_usage["api-usage"].used > 0


not_imitated("describe_layout", lambda: sf.Account.describe_layout("012000000000000AAA"))
not_imitated("search", lambda: sf.search("FIND {x}"))
not_imitated("quick_search", lambda: sf.quick_search("x"))
not_imitated("tooling", lambda: sf.toolingexecute("query?q=SELECT+Id+FROM+ApexClass"))
not_imitated("apex", lambda: sf.apexecute("x"))
not_imitated("bulk_v1", lambda: sf.bulk.Account.insert([{"Name": "x"}]))
not_imitated("recent", lambda: sf.restful("recent"))
not_imitated("layouts", lambda: sf.restful("sobjects/Account/describe/layouts"))
not_imitated("reports", lambda: sf.restful("analytics/reports"))
not_imitated("chatter", lambda: sf.restful("chatter/feeds"))

for one in CHECKS:
    try:
        one()
        print(f"ok {one.__name__}")
    except Exception as error:  # noqa: BLE001
        said = str(getattr(error, "content", "")) + str(error)
        if "not imitate" in said:
            print(f"named {one.__name__}")
        else:
            print(f"FAIL {one.__name__}: {type(error).__name__} {said[:400]}")
