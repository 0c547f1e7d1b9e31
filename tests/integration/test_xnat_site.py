"""Accounts, tokens, scripts, subscriptions, tables and documents: the routes around the images."""

import csv
import io
import uuid
from xml.etree import ElementTree as ET

import pytest
import requests

from infra.parts.xnat import ADMIN
from infra.xnat.not_served import SENTENCES
from tests.integration.xnat_ground import CT, MR, Client, study, zip_of

pytestmark = pytest.mark.integration

SELECTOR = "org.nrg.xnat.eventservice.events.ScanEvent:CREATED"
ACTION = "org.nrg.containers.services.CommandActionProvider:1"
XNAT = "{http://nrg.wustl.edu/xnat}"


@pytest.fixture
def admin(xnat):
    with Client(xnat) as client:
        yield client


@pytest.fixture
def project(admin):
    return admin.new_project()


@pytest.fixture
def member(admin, project):
    with admin.new_user() as client:
        admin.put(f"/data/projects/{project}/users/Members/{client.auth[0]}")
        yield client


@pytest.fixture
def owner(admin, project):
    with admin.new_user() as client:
        admin.put(f"/data/projects/{project}/users/Owners/{client.auth[0]}")
        yield client


class TestTokens:
    @pytest.mark.parametrize("path", ["/data/services/tokens", "/xapi/tokens"])
    def test_a_token_stands_for_its_user_until_it_is_withdrawn(self, xnat, member, path):
        token = member.get(f"{path}/issue").json()
        assert uuid.UUID(token["alias"])
        assert token["estimatedExpirationTime"] > 1_700_000_000_000
        said = member.get(f"{path}/validate/{token['alias']}/{token['secret']}")
        assert said.json() == {"valid": member.auth[0]}
        with Client(xnat, token["alias"], token["secret"]) as by_token:
            assert by_token.get("/xapi/users/username").text == member.auth[0]
        assert member.get(f"{path}/invalidate/{token['alias']}").status_code == 200
        with Client(xnat, token["alias"], token["secret"]) as by_token:
            assert by_token.get("/xapi/users/username").status_code == 401
        assert member.get(f"{path}/validate/{token['alias']}/{token['secret']}").status_code == 404

    def test_a_wrong_secret_is_no_token(self, xnat, member):
        alias = member.get("/data/services/tokens/issue").json()["alias"]
        assert member.get(f"/data/services/tokens/validate/{alias}/wrong").status_code == 401
        assert requests.get(f"{xnat.url}/data/auth", auth=(alias, "wrong"), timeout=10).status_code == 401

    def test_only_an_administrator_issues_for_others_and_withdraws_theirs(self, admin, member):
        assert member.get(f"/data/services/tokens/issue/user/{ADMIN}").status_code == 403
        token = admin.get(f"/data/services/tokens/issue/user/{member.auth[0]}").json()
        assert token["xdatUserId"] == member.auth[0]
        own = admin.get("/data/services/tokens/issue").json()
        assert member.get(f"/data/services/tokens/invalidate/{own['alias']}").status_code == 403


class TestPeople:
    def test_a_role_makes_an_administrator_and_outlives_nothing_else(self, admin, member):
        path = f"/xapi/users/{member.auth[0]}/roles"
        assert member.get(path).json() == []
        assert member.put(f"{path}/Administrator").status_code == 403
        assert admin.put(f"{path}/Administrator").status_code == 200
        assert member.get("/xapi/users/profiles").status_code == 200
        admin.delete(f"{path}/Administrator")
        assert member.get("/xapi/users/profiles").status_code == 403

    def test_the_administrator_of_the_command_line_keeps_the_role(self, admin):
        assert admin.delete(f"/xapi/users/{ADMIN}/roles/Administrator").status_code == 403
        assert admin.get(f"/xapi/users/{ADMIN}/roles").json() == ["Administrator"]

    def test_groups_and_profiles_are_ones_own(self, admin, project, member):
        login = member.auth[0]
        assert member.get(f"/xapi/users/{login}/groups").json() == [f"{project}_member"]
        assert member.get(f"/xapi/users/{login}").json()["firstName"] == "Ada"
        assert member.get(f"/xapi/users/{ADMIN}/groups").status_code == 403
        assert login in admin.get("/xapi/users/active").json()

    @pytest.mark.parametrize("login", ["", "a b", "<script>", "../x", "x" * 101, "a:b"])
    def test_a_login_is_a_plain_name(self, admin, login):
        assert admin.post("/xapi/users", json={"username": login, "password": "p"}).status_code == 400


class TestScripts:
    SCRIPT = 'version "6.3"\n(0010,0010) := "x"\n'

    def test_a_projects_script_is_kept_for_whoever_applies_it(self, owner, member, project):
        path = f"/xapi/anonymize/projects/{project}"
        assert member.get(path).status_code == 204
        plain = {"Content-Type": "text/plain"}
        assert member.put(path, data=self.SCRIPT, headers=plain).status_code == 403
        assert owner.put(path, data=self.SCRIPT, headers=plain).status_code == 200
        assert member.get(path).text == self.SCRIPT
        assert member.get(f"{path}/enabled").json() is True
        assert owner.put(f"{path}/enabled", params={"enable": "false"}, json={}).status_code == 200
        assert (member.get(path).status_code, member.get(f"{path}/enabled").json()) == (204, False)

    def test_there_is_nothing_to_enable_before_a_script(self, owner, project):
        path = f"/xapi/anonymize/projects/{project}/enabled"
        assert owner.put(path, params={"enable": "true"}, json={}).status_code == 409
        assert owner.put(path, params={"enable": "perhaps"}).status_code == 400

    def test_the_sites_script_is_the_administrators(self, admin, member):
        assert member.put("/xapi/anonymize/site", data=self.SCRIPT).status_code == 403
        assert admin.put("/xapi/anonymize/site", data=self.SCRIPT).status_code == 200
        assert member.get("/xapi/anonymize/site").text == self.SCRIPT
        assert member.get("/xapi/anonymize/default").text.startswith("version")

    def test_a_new_project_of_an_old_name_has_no_script(self, admin, project):
        path = f"/xapi/anonymize/projects/{project}"
        admin.put(path, data=self.SCRIPT)
        admin.delete(f"/data/projects/{project}")
        assert admin.get(path).status_code == 404
        admin.put(f"/data/projects/{project}")
        assert admin.get(path).status_code == 204


class TestEvents:
    def subscribe(self, client, path, **changes):
        asked = {"name": "convert", "event-selector": SELECTOR, "action-key": ACTION, "active": True} | changes
        return client.post(f"{path}/subscription", json=asked)

    def test_conversion_on_arrival_is_set_up_and_delivered_once_per_scan(self, admin, owner, project):
        (command,) = admin.get("/xapi/commands", params={"name": "dcm2niix"}).json()
        wrapper = command["xnat"][0]["name"]
        enabled = f"/xapi/projects/{project}/commands/{command['id']}/wrappers/{wrapper}/enabled"
        assert owner.get(enabled).json() is False
        assert owner.put(enabled).status_code == 200
        assert owner.get("/xapi/commands/available", params={"project": project}).json()[0]["command-id"] == 1
        answer = self.subscribe(owner, f"/xapi/projects/{project}/events")
        assert answer.status_code == 201
        number = int(answer.text.removeprefix("convert:"))
        admin.import_zip(project, zip_of(MR.read_bytes()))
        admin.import_zip(admin.new_project(), zip_of(MR.read_bytes()))
        (row,) = owner.get(f"/xapi/projects/{project}/events/delivered").json()
        assert (row["subscription-id"], row["event-type"]) == (number, SELECTOR)
        assert admin.get(row["uri"]).json()["items"][0]["data_fields"]["ID"] == "1"
        seen = {"since": row["id"]}
        assert owner.get(f"/xapi/projects/{project}/events/delivered", params=seen).json() == []

    def test_a_subscription_is_changed_stopped_and_deleted(self, admin, owner, project):
        base = f"/xapi/projects/{project}/events"
        number = self.subscribe(owner, base).text.partition(":")[2]
        one = f"{base}/subscription/{number}"
        assert owner.put(one, json={"name": "other"}).status_code == 200
        assert owner.post(f"{one}/deactivate").status_code == 200
        (found,) = owner.get(f"{base}/subscriptions").json()
        assert (found["name"], found["active"], found["event-filter"]) == ("other", False, {"project-ids": [project]})
        admin.import_zip(project, zip_of(MR.read_bytes()))
        assert owner.get(f"{base}/delivered").json() == []
        assert owner.delete(one).status_code == 204
        assert owner.get(one).status_code == 404

    def test_nobody_reads_or_makes_what_is_not_theirs(self, admin, member, project):
        assert self.subscribe(member, "/xapi/events").status_code == 403
        assert member.get("/xapi/events/delivered").status_code == 403
        assert self.subscribe(member, f"/xapi/projects/{project}/events").status_code == 403
        number = self.subscribe(admin, "/xapi/events").text.partition(":")[2]
        assert admin.get(f"/xapi/projects/{project}/events/subscription/{number}").status_code == 404
        admin.delete(f"/xapi/events/subscription/{number}")

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"name": ""}, 400),
            ({"name": "a\nb"}, 400),
            ({"event-selector": "x"}, 400),
            ({"action-key": "x:9"}, 400),
            ({"event-filter": {"project-ids": ["nowhere"]}}, 400),
            ({"event-filter": {"project-ids": "P"}}, 400),
            ({"event-filter": {"payload-filter": "$"}}, 501),
        ],
    )
    def test_a_subscription_that_could_never_be_met_is_refused(self, admin, changes, status):
        assert self.subscribe(admin, "/xapi/events", **changes).status_code == status


class TestTables:
    @pytest.fixture
    def sessions(self, admin, project):
        for number, source in enumerate([MR, CT, MR]):
            content = zip_of(*study(f"4.{number}", source=source))
            admin.import_zip(project, content, subject=f"s{number}", session=f"e{number}")
        return f"/data/projects/{project}/experiments"

    def test_filters_ranges_order_and_pages(self, admin, sessions):
        assert admin.column(sessions, "label", xsiType="xnat:mrSessionData") == ["e0", "e2"]
        assert admin.column(sessions, "label", label="e[12]") == ["e1", "e2"]
        assert admin.column(sessions, "label", date="01/01/2004-12/31/2004", modality="CT") == ["e1"]
        assert admin.column(sessions, "label", sortBy="label", sortOrder="desc", limit="1", offset="1") == ["e1"]
        assert admin.column(sessions, "label", limit="*") == ["e0", "e1", "e2"]

    def test_xpaths_name_columns_as_short_names_do(self, admin, sessions):
        column = "xnat:imageSessionData/modality"
        assert admin.column(sessions, column, columns=f"label,{column}") == ["MR", "CT", "MR"]

    def test_every_old_spelling_leads_to_the_same(self, admin, sessions):
        rows = admin.rows(sessions)
        assert admin.rows(sessions.replace("/data/", "/data/archive/")) == rows
        assert admin.rows(sessions.replace("/data/", "/REST/")) == rows
        assert admin.get("/REST/JSESSION").status_code == 200

    def test_tables_come_as_csv_and_xml(self, admin, sessions):
        (first, *_) = csv.DictReader(io.StringIO(admin.get(sessions, params={"format": "csv"}).text))
        assert first["label"] == "e0"
        table = ET.fromstring(admin.get(sessions, params={"format": "xml"}).text)
        assert table.get("totalRecords") == "3"
        assert len(table.findall("results/rows/row")) == 3

    def test_items_come_as_xml(self, admin, project, sessions):
        document = ET.fromstring(admin.get(f"{sessions}/e1", params={"format": "xml"}).text)
        assert document.tag == f"{XNAT}CtSession"
        assert (document.get("label"), document.get("UID")) == ("e1", "1.2.4.1")
        scan = document.find(f"{XNAT}scans/{XNAT}scan")
        assert scan.get("{http://www.w3.org/2001/XMLSchema-instance}type") == "xnat:ctScanData"
        assert scan.find(f"{XNAT}resources/{XNAT}resource").get("label") == "DICOM"
        subject = ET.fromstring(admin.get(f"/data/projects/{project}/subjects/s1", params={"format": "xml"}).text)
        assert subject.tag == f"{XNAT}Subject"

    def test_projects_may_be_narrowed_to_ones_own(self, admin, member, project):
        assert member.column("/data/projects", "ID", member="true") == [project]
        assert member.column("/data/projects", "ID", owner="true") == []
        public = admin.new_project()
        admin.put(f"/data/projects/{public}/accessibility/public")
        assert public in member.column("/data/projects", "ID")
        assert public not in member.column("/data/projects", "ID", member="true")


class TestNotServed:
    @pytest.mark.parametrize("path", SENTENCES)
    def test_it_says_so_in_a_sentence(self, admin, path):
        asked = path.replace("{rest:path}", "x").replace("{project}", "p")
        answer = admin.post(asked, data=b"<xml/>")
        assert (answer.status_code, answer.text) == (501, SENTENCES[path])

    def test_sharing_is_not_and_says_so(self, admin, project):
        admin.import_zip(project, zip_of(MR.read_bytes()))
        path = f"/data/projects/{project}/subjects/s1/experiments/e1/projects/other"
        assert admin.put(path).status_code == 501

    def test_what_nobody_ever_served_is_a_404(self, admin):
        assert admin.get("/xapi/nothing/here").status_code == 404
        assert admin.get("/data/nothing/here").status_code == 404

    def test_the_site_tells_of_itself(self, admin):
        assert admin.get("/xapi/siteConfig/buildInfo").json()["version"] == "1.9.0"
        assert admin.get("/xapi/siteConfig/siteId").json() == "XNAT"
        assert admin.get("/xapi/siteConfig").json()["requireLogin"] is True
        assert admin.get("/xapi/siteConfig/uptime").json()["days"] == 0
        assert (admin.get("/xapi/plugins").json(), admin.get("/xapi/dicomscp").json()) == ({}, [])
        assert admin.rows("/data/workflows") == []
