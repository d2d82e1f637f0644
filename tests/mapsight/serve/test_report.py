"""The report as a server shows it: the same files, with links into the page."""

from __future__ import annotations

import re

import pytest

from mapsight.report.links import POLICY
from mapsight.serve.layers.safety import HEADERS


@pytest.fixture(scope="module")
def folder(served_once):
    return served_once / "workspace" / "report"


def test_its_index_leads_into_the_page_and_is_else_the_same(server, folder):
    assert server.json("summary")["has"]["report"]
    shown = server.client.get("/report/")
    links = re.findall(rb'<a class="page" href="\.\./(\?[^"]+)">[^<]*</a>', shown.content)
    marks = re.findall(rb"<!--page ([^>]+)-->", (folder / "index.html").read_bytes())
    assert [link.replace(b"&amp;", b"&") for link in links] == marks != []
    assert b"<!--page" not in shown.content
    for link in set(links):
        assert server.client.get("/" + link.decode().replace("&amp;", "&")).status_code == 200


def test_its_top_leads_back_to_the_page(server):
    assert (
        b'<body><a class="back" href="../">Back to the page</a>'
        in server.client.get("/report/").content
    )


def test_its_other_files_are_those_of_the_workspace(server, folder):
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".html"]
    kinds = {".svg": "image/svg+xml", ".jpg": "image/jpeg"}
    assert {path.suffix for path in files} == set(kinds)
    for path in files:
        answer = server.client.get(f"/report/{path.relative_to(folder).as_posix()}")
        assert answer.content == path.read_bytes()
        assert answer.headers["content-type"] == kinds[path.suffix]


def test_no_script_runs_in_it(server):
    answer = server.client.get("/report/")
    assert answer.headers["content-security-policy"] == f"{POLICY}; frame-ancestors 'none'"
    assert "script" not in POLICY and "default-src 'none'" in POLICY
    others = {name: value for name, value in HEADERS.items() if "Content-Security" not in name}
    assert {name: answer.headers[name] for name in others} == others


def test_its_folder_is_led_to(server):
    answer = server.client.get("/report", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/report/")
