"""The house's plan: what each package may import, and that none does more than that."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.architecture import (
    Import,
    circles,
    crowded,
    graph,
    imports,
    longest_chain,
    module_names,
    of_packages,
    reached,
    upward,
)
from tests.support.paths import ROOT

LIBRARY = {
    "root": "",
    "storage": "root",
    "web": "root",
    "workspace": "storage",
    "results": "storage",
    "inputs": "storage web",
    "features": "inputs",
    "labels": "features workspace",
    "evaluation": "labels",
    "openimages": "inputs labels",
    "index": "labels",
    "words": "labels",
    "search": "index results words",
    "duplicates": "index labels",
    "explore": "openimages results",
    "report": "evaluation openimages index",
    "capacity": "index search inputs openimages",
    "browse": "search duplicates evaluation",
    "choose": "browse openimages",
    "api": "choose browse search report capacity duplicates explore evaluation",
    "serve": "api web",
}
"""Package of mapsight: those it imports from, and with them what these may import from."""
API = {
    *("mapsight", "mapsight.opened", "mapsight.opened_pictures", "mapsight.opened_tables"),
    "mapsight.running",
}
"""What a person imports: above all packages. Other modules beside them are below all."""

DRIVER = """
errors text_table needs streams unwritable output_files
workspace
pipeline
options nodes
stages hadoop emr
runners processes
results
stage_table
search
sample
additions
selection
commands
parser
run
"""
"""Floors, the lowest first: a module imports from its own room and from those of lower floors,
but modules beside the packages also from each other, as long as they close no circle."""

MODULES = module_names(ROOT, "mapsight", "driver", "mr_jobs")
IMPORTS = imports(MODULES)
EDGES = graph(IMPORTS, MODULES)
DEEPEST = 12
"""How many modules of the driver may stand on each other."""
JOBS = [name for name in MODULES if name.startswith("mr_jobs.")]
SHIPPED = reached(EDGES, *JOBS)
HEAVY = {"tensorflow", "keras", "pandas", "matplotlib", "psutil"}
KERAS = "mapsight.features.keras_build"
"""With --engine keras, for comparisons, a task runs TensorFlow; it is imported when asked for."""


def library_room(module: str) -> str | None:
    package, _, rest = module.partition(".")
    if package != "mapsight":
        return None
    room = rest.split(".")[0]
    return "api" if module in API else room if room in LIBRARY else "root"


def driver_room(module: str) -> str | None:
    package, _, rest = module.partition(".")
    return rest.split(".")[0] if package == "driver" and rest else None


def floors(text: str) -> dict[str, set[str]]:
    """For each room those of lower floors; what stands in one line of modules is one floor."""
    below, may = set[str](), dict[str, set[str]]()
    for floor in text.split("\n"):
        rooms = set(floor.split())
        single = {room for room in rooms if (ROOT / f"driver/{room}.py").is_file()}
        may |= {room: below | (single - {room}) for room in rooms}
        below = below | rooms
    return may


def pair(each: Import) -> tuple[str, str]:
    return each.module, each.target


def is_test(module: str) -> bool:
    return bool(re.fullmatch(r"tests\.(.*\.)?(conftest|test_\w+)", module))


LIBRARY_MAY = {room: below.split() for room, below in LIBRARY.items()}
DRIVER_MAY = floors(DRIVER)
UPWARD = upward(IMPORTS, library_room, LIBRARY_MAY) + upward(IMPORTS, driver_room, DRIVER_MAY)


def listed(found: list[Import]) -> str:
    return "\n".join(map(str, found))


def test_imports_point_down():
    assert listed(UPWARD) == ""


def test_every_package_has_a_place_in_the_tables():
    rooms = {path.parent.name for path in ROOT.glob("mapsight/*/__init__.py")}
    assert rooms - LIBRARY.keys() == set()
    rooms = {driver_room(name) for name in MODULES} - {None}
    assert rooms - DRIVER_MAY.keys() == set()


def test_no_imports_close_a_circle():
    assert circles(EDGES) == []


def test_the_driver_is_not_deep():
    own = {name for name in MODULES if name.startswith("driver.")}
    own -= {name for name in own if MODULES[name].name == "__init__.py"}
    chain = longest_chain({name: EDGES[name] & own for name in own})
    assert len(chain) <= DEEPEST, " -> ".join(chain)


def test_the_library_knows_neither_mrjob_nor_jobs_nor_the_driver():
    own = [each for each in IMPORTS if each.module.startswith("mapsight")]
    allowed = {("mapsight.job", "mrjob"), ("mapsight.running", "driver")}
    found = of_packages(own, {"mrjob", "mr_jobs", "driver"})
    known = [e for e in found if (e.module, e.target.split(".")[0]) not in allowed]
    assert listed(known) == ""


def test_jobs_know_the_library_alone():
    own = [each for each in IMPORTS if each.module in JOBS]
    assert listed(of_packages(own, {"driver", "mr_jobs"})) == ""


def test_what_serves_cannot_start_a_job():
    served = [name for name in MODULES if name.startswith("mapsight.serve")]
    assert len(served) > 10
    able = {name for name in reached(EDGES, *served) if name.startswith(("driver", "mr_jobs"))}
    assert able | ({"mapsight.job", "mapsight.running"} & reached(EDGES, *served)) == set()


def test_what_serves_alone_knows_the_packages_for_it():
    found = of_packages(IMPORTS, {"fastapi", "starlette", "uvicorn", "prometheus_client"})
    assert {each.module.split(".")[1] for each in found} == {"serve"}


def test_no_folder_but_that_of_the_jobs_has_too_many_modules():
    names = module_names(ROOT, "mapsight", "driver", "tests", "benchmarks", "devcluster")
    assert crowded(names) == {}


def test_tests_import_no_other_test():
    tests = module_names(ROOT, "tests")
    found = [each for each in imports(tests) if is_test(each.target)]
    assert listed(found) == ""


def test_what_jobs_import_on_nodes_is_not_heavy():
    found = of_packages([each for each in IMPORTS if each.module in SHIPPED], HEAVY)
    assert {pair(each) for each in found} == {(KERAS, "tensorflow")}, listed(found)
    assert all(each.late for each in found)


@pytest.mark.parametrize(
    ("module", "light"),
    [
        ("mapsight", {"numpy", "pyarrow", "PIL", "fsspec", "requests", "mrjob", "driver"}),
        ("driver.run", {"mrjob"}),
        ("driver.parser", {"mrjob", "numpy", "pyarrow", "fsspec"}),
    ],
)
def test_what_starts_first_imports_nothing_heavy(module: str, light: set[str]):
    script = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert set(done.stdout.split()) & (light | HEAVY) == set()
    assert module.split(".")[0] in done.stdout.split(), done.stderr


# ---- the rules themselves, on made-up trees


@pytest.fixture
def tree(tmp_path: Path):
    """Writes modules by dotted name, and reads their imports."""

    def write(**sources: str) -> tuple[list[Import], dict[str, Path]]:
        for name, text in sources.items():
            file = tmp_path.joinpath(*name.split("__")).with_suffix(".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        modules = module_names(tmp_path, "mapsight", "driver", "mr_jobs")
        return imports(modules), modules

    return write


def test_an_import_that_points_up_is_named_with_its_line(tree):
    found, _ = tree(
        mapsight__web__get="\nfrom mapsight.index import rows\n", mapsight__index__rows=""
    )
    (offence,) = upward(found, library_room, LIBRARY_MAY)
    assert str(offence) == "mapsight.web.get:2 imports mapsight.index.rows"


@pytest.mark.parametrize(
    "text",
    [
        "from driver.commands.run import run",
        "import driver.commands.run",
        "from driver.commands import run",
    ],
)
def test_every_form_of_an_upward_import_is_seen(tree, text):
    late = f"def f():\n    if True:\n        {text}\n"
    found, _ = tree(driver__pipeline__launch=late, driver__commands__run="")
    (offence,) = upward(found, driver_room, DRIVER_MAY)
    assert (offence.target, offence.line, offence.late) == ("driver.commands.run", 3, True)


def test_what_packages_below_may_is_allowed_and_types_are_not_looked_at(tree):
    typed = "if TYPE_CHECKING:\n    from mapsight.report.pages import page\n"
    found, _ = tree(
        mapsight__index__rows=f"from mapsight.inputs.find import find\n{typed}",
        mapsight__inputs__find="import mapsight.text",
        mapsight__report__pages="",
        mapsight__text="",
    )
    assert upward(found, library_room, LIBRARY_MAY) == []


def test_rooms_of_one_floor_do_not_import_each_other(tree):
    found, _ = tree(driver__hadoop__yarn="import driver.emr.step", driver__emr__step="")
    assert len(upward(found, driver_room, DRIVER_MAY)) == 1


def test_modules_below_all_packages_import_none_of_them(tree):
    found, _ = tree(mapsight__text="import mapsight.web.fetch", mapsight__web__fetch="")
    assert len(upward(found, library_room, LIBRARY_MAY)) == 1


def test_circles_are_found_through_late_imports_and_others_are_none(tree):
    found, modules = tree(
        mapsight__a="import mapsight.b",
        mapsight__b="import mapsight.c, mapsight.d",
        mapsight__c="def f():\n    from mapsight import a",
        mapsight__d="",
    )
    assert circles(graph(found, modules)) == [["mapsight.a", "mapsight.b", "mapsight.c"]]


def test_the_longest_chain_goes_through_shared_modules_once(tree):
    found, modules = tree(
        mapsight__a="import mapsight.b, mapsight.d",
        mapsight__b="import mapsight.c",
        mapsight__c="import mapsight.d",
        mapsight__d="",
    )
    chain = longest_chain(graph(found, modules))
    assert chain == ["mapsight.a", "mapsight.b", "mapsight.c", "mapsight.d"]


def test_packages_of_others_are_found_and_not_what_begins_like_them(tree):
    found, _ = tree(mapsight__a="from mrjob.job import MRJob\nimport mrjobs\nimport mapsight.mrjob")
    assert [str(each) for each in of_packages(found, {"mrjob"})] == [
        "mapsight.a:1 imports mrjob.job"
    ]


def test_what_a_job_reaches_through_others_is_shipped(tree):
    found, modules = tree(
        mr_jobs__rank="def f():\n    import mapsight.a",
        mapsight__a="from mapsight.b import x",
        mapsight__b="x = 1",
        mapsight__c="",
    )
    shipped = reached(graph(found, modules), "mr_jobs.rank")
    assert shipped == {"mr_jobs.rank", "mapsight.a", "mapsight.b"}


def test_a_folder_with_one_module_more_is_named(tree):
    names = {f"driver__m{n}": "" for n in range(21)}
    _, modules = tree(**names)
    ((folder, count),) = crowded(modules).items()
    assert (Path(folder).name, count) == ("driver", 21)
