"""What a server says of itself in OpenAPI."""

from __future__ import annotations

import pytest
from openapi_spec_validator import validate

from mapsight.browse.filters import NAMES
from mapsight.serve.searching import WORDS


@pytest.fixture(scope="module")
def described(server) -> dict:
    return server.json("openapi.json")


def operations(described: dict) -> dict[str, dict]:
    return {
        f"{method} {path.removeprefix('/api/v1')}": one
        for path, methods in described["paths"].items()
        for method, one in methods.items()
    }


def test_it_is_valid(described):
    validate(described)


def test_every_route_says_what_it_answers_and_refuses(described):
    for name, one in operations(described).items():
        assert one["summary"] and one["description"], name
        assert {"200", "204"} & one["responses"].keys(), name
        assert "422" not in one["responses"] or "picture" in str(one["responses"]["422"]), name


def test_parameters_are_those_that_are_taken(described):
    known = operations(described)
    for name, words in (
        ("get /search", WORDS),
        ("get /pictures", {*NAMES, "sort", "limit", "cursor", "at"}),
        ("get /facets", set(NAMES)),
    ):
        assert {one["name"] for one in known[name]["parameters"]} == set(words), name


def test_a_plain_page_lists_the_routes(server, described):
    page = server.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html") and "<script" not in page.text
    for name in operations(described):
        method, path = name.split()
        assert f"<code>{method.upper()} /api/v1{path}</code>" in page.text
    for path in ("/api/v1", "/api/v1/"):
        answer = server.client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
    assert server.client.head("/").status_code == 200


def test_examples_are_of_their_models(described):
    from mapsight.serve import answers

    shown = {
        name: schema["example"]
        for name, schema in described["components"]["schemas"].items()
        if "example" in schema
    }
    assert len(shown) > 5
    for name, example in shown.items():
        getattr(answers, name).model_validate(example)


def test_the_examples_of_parameters_can_be_asked(server, described):
    for name, one in operations(described).items():
        method, _, path = name.partition(" ")
        if method != "get" or "{" in path:
            continue
        asked = {p["name"]: p["example"] for p in one.get("parameters", ()) if "example" in p}
        answer = server.get(path[1:], **asked)
        assert answer.status_code in (200, 400, 404), (name, answer.text)
        assert answer.status_code == 200 or answer.json()["field"] in ("cell", "error", "region")
