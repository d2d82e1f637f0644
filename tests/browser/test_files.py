"""The files of the page: small, made by hand, and asking nobody but their own server."""

import re

import pytest

from tests.support.paths import ROOT

PAGE = ROOT / "mapsight/serve/page"
FILES = sorted(path for path in PAGE.rglob("*") if path.is_file())
MODULES = [path for path in FILES if path.suffix == ".js"]
NAMESPACE = "http://www.w3.org/2000/svg"
"""What browsers know SVG by; nothing is asked there."""
IMPORT = re.compile(r'(?:from |import\()"(\.[^"]+)"')


def text(path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_page_has_less_than_150_kb():
    assert 0 < sum(path.stat().st_size for path in FILES) < 150_000


def test_no_module_is_long():
    assert {path.name: n for path in MODULES if (n := text(path).count("\n")) >= 250} == {}


def test_every_module_is_imported_from_one_that_the_page_loads():
    reached = {PAGE / name for name in re.findall(r'src="page/([^"]+)"', text(PAGE / "index.html"))}
    waiting = list(reached)
    while waiting:
        module = waiting.pop()
        for name in IMPORT.findall(text(module)):
            path = (module.parent / name).resolve()
            if path not in reached:
                reached.add(path)
                waiting.append(path)
    assert reached == {*MODULES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_names_no_outside_address(path):
    outside = {*re.findall(r"(?:https?:)?(?<!\\)//[a-z0-9-]+\.[a-z./0-9]+", text(path))}
    assert outside <= {NAMESPACE} and "@import" not in text(path)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_never_parses_text_as_html(path):
    parsed = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|DOMParser"
    assert re.findall(parsed, text(path)) == []


def test_the_page_has_neither_styles_nor_scripts_of_its_own():
    page = text(PAGE / "index.html")
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page) == []


def shades() -> dict[str, tuple[str, str]]:
    """The colours of the page, light and dark, by name."""
    found = re.findall(r"--([a-z-]+): light-dark\((#\w+), (#\w+)\)", text(PAGE / "style.css"))
    return {name: (light, dark) for name, light, dark in found}


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        *(
            (ink, ground)
            for ink in ("ink", "soft", "accent", "flag")
            for ground in ("page", "raised")
        ),
        *(("ink", "well"), ("soft", "well"), ("ink", "tint"), ("accent", "tint")),
        ("on-accent", "accent"),
    ],
)
def test_text_is_told_from_its_ground(ink, ground, scheme):
    low, high = sorted(luminance(shades()[name][scheme]) for name in (ink, ground))
    assert (high + 0.05) / (low + 0.05) >= 4.5  # WCAG 2, level AA
