"""`sf`, the Salesforce CLI, against the sandbox: one line for each check."""
import json
import os
import subprocess
import urllib.parse
import urllib.request

URL = os.environ["SALESFORCE"]
SF = os.path.join(os.environ["INSTALLED"], "node_modules", ".bin", "sf")
form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox"}).encode()
TOKEN = json.load(urllib.request.urlopen(f"{URL}/services/oauth2/token", form))["access_token"]
FAILED = {}


def sf(*arguments, said=None):
    done = subprocess.run([SF, *arguments, "--json"], capture_output=True, text=True, env={**os.environ, "SF_ACCESS_TOKEN": TOKEN}, timeout=180)
    try:
        told = json.loads(done.stdout or done.stderr)
    except json.JSONDecodeError:
        raise AssertionError(f"no JSON: {done.stdout[-300:]} {done.stderr[-300:]}") from None
    if said is not None:
        assert said in json.dumps(told), told
        return told
    if told.get("status", 1) != 0:
        raise AssertionError(json.dumps({name: told.get(name) for name in ("name", "message", "data")})[:600])
    return told["result"]


ORG = ("--target-org", "sandbox")
VERSION = ("--api-version", "62.0")


def check(name, run):
    try:
        run()
        print(f"ok {name}", flush=True)
    except Exception as error:  # noqa: BLE001
        print(f"named {name}" if "not imitate" in str(error) else f"FAIL {name}: {str(error)[:500]}", flush=True)


def must(truth, why=""):
    assert truth, why


check("login", lambda: must(sf("org", "login", "access-token", "--instance-url", URL, "--no-prompt", "--alias", "sandbox")["orgId"]))
check("display", lambda: must(sf("org", "display", *ORG)["instanceUrl"].startswith("http://127.0.0.1:")))
check("query", lambda: must(sf("data", "query", "--query", "SELECT Id, Account.Name FROM Order LIMIT 2", *ORG, *VERSION)["totalSize"] == 2))
check("query_csv", lambda: must(subprocess.run([SF, "data", "query", "--query", "SELECT Id, Account.Name FROM Order LIMIT 1", "--result-format", "csv", *ORG, *VERSION], capture_output=True, text=True, check=True).stdout.startswith("Id,Account.Name\n")))
check("query_children", lambda: must(sf("data", "query", "--query", "SELECT Id, (SELECT Id FROM OrderItems) FROM Order LIMIT 1", *ORG, *VERSION)["records"][0]["OrderItems"]["done"]))
check("query_group", lambda: must(sf("data", "query", "--query", "SELECT Status, COUNT(Id) FROM Order GROUP BY Status", *ORG, *VERSION)["totalSize"] > 1))
check("query_group_human", lambda: must("COUNT(ID)" in subprocess.run([SF, "data", "query", "--query", "SELECT Status, COUNT(Id) FROM Order GROUP BY Status", *ORG, *VERSION], capture_output=True, text=True, check=True).stdout.upper()))
check("query_literal", lambda: must(sf("data", "query", "--query", "SELECT Id FROM Order WHERE CreatedDate = LAST_N_DAYS:3", *ORG, *VERSION)["totalSize"] == 50))
check("query_refused", lambda: sf("data", "query", "--query", "SELECT Nothing FROM Order", *ORG, *VERSION, said="No such column"))
check("describe", lambda: must(sf("sobject", "describe", "--sobject", "Order", *ORG, *VERSION)["name"] == "Order"))
check("list_objects", lambda: must("Order" in sf("sobject", "list", "--sobject", "all", *ORG, *VERSION)))
check("limits", lambda: must(any(one["name"] == "DailyApiRequests" for one in sf("org", "list", "limits", *ORG, *VERSION))))
check("record_count", lambda: must(sf("org", "list", "sobject", "record-counts", "--sobject", "Order", *ORG, *VERSION)[0]["count"] == 50))
made = {}
check("create_record", lambda: made.update(sf("data", "create", "record", "--sobject", "Account", "--values", "Name='sf made'", *ORG, *VERSION)))
check("get_record", lambda: must(sf("data", "get", "record", "--sobject", "Account", "--record-id", made["id"], *ORG, *VERSION)["Name"] == "sf made"))
check("get_record_where", lambda: must(sf("data", "get", "record", "--sobject", "Account", "--where", "Name='sf made'", *ORG, *VERSION)["Id"] == made["id"]))
check("update_record", lambda: sf("data", "update", "record", "--sobject", "Account", "--record-id", made["id"], "--values", "Phone=5", *ORG, *VERSION))
check("delete_record", lambda: sf("data", "delete", "record", "--sobject", "Account", "--record-id", made["id"], *ORG, *VERSION))
with open("accounts.csv", "w") as file:
    file.write("Name\nbulk sf one\nbulk sf two\n")
check("import_bulk", lambda: sf("data", "import", "bulk", "--file", "accounts.csv", "--sobject", "Account", "--wait", "3", *ORG, *VERSION))
check("export_bulk", lambda: must(sf("data", "export", "bulk", "--query", "SELECT Id, Name FROM Account", "--output-file", "out.csv", "--wait", "3", *ORG, *VERSION)["totalSize"] > 10))
check("request_rest", lambda: must("records" in subprocess.run([SF, "api", "request", "rest", "/services/data/v62.0/query?q=SELECT+Id+FROM+Order+LIMIT+1", *ORG], capture_output=True, text=True).stdout))
check("search", lambda: sf("data", "search", "--query", "FIND {x} IN ALL FIELDS RETURNING Account", *ORG, *VERSION))
check("apex", lambda: sf("apex", "get", "log", "--number", "1", *ORG, *VERSION))
check("tooling", lambda: sf("data", "query", "--use-tooling-api", "--query", "SELECT Id FROM ApexClass", *ORG, *VERSION))
