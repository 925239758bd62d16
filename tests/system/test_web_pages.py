"""A real browser, on a page of another origin, tries what a hostile page would: nothing comes through."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from localaws.testing.server import running_localaws
from localaws.testing.signing import presigned, signed
from localaws.testing.waiting import wait_for
from tests.support.stack.browser import browser

COMMAND = {
    "DocumentName": "AWS-RunShellScript",
    "Targets": [{"Key": "tag:Name", "Values": ["*"]}],
    "Parameters": {"commands": ["id"]},
}
TRUST = '{"Version": "2012-10-17", "Statement": []}'
FETCH = """
const [requests, done] = arguments;
Promise.all(requests.map(([url, options]) => fetch(url, options)
    .then(async response => response.type === "opaque" ? "opaque" : `${response.status} ${await response.text()}`)
    .catch(error => "blocked"))).then(done);
"""
FORM = """
const [url, type, text] = arguments;
const form = document.createElement("form");
form.method = "post"; form.action = url; form.enctype = type;
const field = document.createElement("input");
field.name = text; field.value = "";
form.append(field); document.body.append(form); form.submit();
"""


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>hostile</title><body>")

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A local AWS that checks no policy, so that only its entrance guards it."""
    with running_localaws(tmp_path_factory.mktemp("localaws")) as aws:
        aws.client("iam").create_role(RoleName="target", AssumeRolePolicyDocument=TRUST)
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="private")
        s3.put_object(Bucket="private", Key="k", Body=b"private bytes")
        yield aws


@pytest.fixture(scope="module")
def page():
    """The address of a page on another port."""
    pages = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    yield f":{pages.server_port}/"
    pages.shutdown()
    pages.server_close()


@pytest.fixture(scope="module")
def chromium():
    with browser("--host-resolver-rules=MAP evil.test 127.0.0.1") as running:
        yield running


def allowed(aws, since):
    """The calls since then that had any effect."""
    return [line for line in aws.call_log()[since:] if line["decision"] == "allowed"]


def rejections(aws):
    return aws.stderr.read_text().count("WARNING localaws.gateway.app rejected")


def attacks(aws, origin):
    """Requests that a page can make without a preflight and with one, signed with the root's own key."""
    body = json.dumps(COMMAND)
    target = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM.SendCommand"}
    with_preflight = signed(aws.root, "ssm", "POST", f"{origin}/", body.encode(), target)
    url = aws.client("s3", endpoint_url=origin).generate_presigned_url(
        "get_object", Params={"Bucket": "private", "Key": "k"}
    )
    command = origin + presigned(aws.root, aws.endpoint, "ssm", "POST")
    token = {"Authorization": aws.root.token_of("target")}
    return [
        [command, {"method": "POST", "mode": "no-cors", "headers": {"Content-Type": "text/plain"}, "body": body}],
        [command, {"method": "POST", "headers": {"Content-Type": "text/plain"}, "body": body}],
        [f"{origin}/", {"method": "POST", "headers": with_preflight, "body": body}],
        [url, {"mode": "no-cors"}],
        [url, {}],
        [f"{origin}/_localaws/credentials/target", {"mode": "no-cors"}],
        [f"{origin}/_localaws/credentials/target", {"headers": token}],
        [f"{origin}/_localaws/health", {}],
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.test"])
def test_scripts_of_another_origin_reach_nothing(server, page, chromium, host):
    calls = len(server.call_log())
    before = rejections(server)
    chromium.get(f"http://{host}{page}")
    assert chromium.title == "hostile"
    requests = attacks(server, server.endpoint)
    answers = chromium.execute_async_script(FETCH, requests)
    assert set(answers) <= {"blocked", "opaque"}, answers
    assert allowed(server, calls) == []
    assert rejections(server) > before, "no request arrived"


@pytest.mark.parametrize("enctype", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_of_another_origin_runs_no_command(server, page, chromium, enctype):
    calls = len(server.call_log())
    before = rejections(server)
    chromium.get(f"http://evil.test{page}")
    url = server.endpoint + presigned(
        server.root, server.endpoint, "ssm", "POST", Action="SendCommand", Version="2014-11-06"
    )
    chromium.execute_script(FORM, url, enctype, json.dumps(COMMAND))
    wait_for(lambda: rejections(server) > before, timeout=30, what="the form to arrive")
    assert allowed(server, calls) == []


def test_a_name_that_was_bound_again_to_loopback_reaches_nothing(server, chromium):
    calls = len(server.call_log())
    origin = f"http://evil.test:{urlsplit(server.endpoint).port}"
    chromium.get(f"{origin}/_localaws/health")
    assert "is not a name of this server" in chromium.page_source
    requests = [one for one in attacks(server, origin) if one[1].get("mode") != "no-cors"]
    answers = chromium.execute_async_script(FETCH, requests)
    assert [one.partition(" ")[0] for one in answers] == ["403"] * len(requests), answers
    assert all("is not a name of this server" in one for one in answers)
    assert allowed(server, calls) == []
