"""The public face: light to import, complete, and helpful about a wrong name."""

from __future__ import annotations

import ast
import json
import pkgutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import urbangeo

HEAVY = {"matplotlib", "osmnx", "cartopy", "pandera", "rasterio"}
DRAWING = {"atlas", "draw"}


def fresh(code: str) -> str:
    """Run code in a fresh process and give what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def seconds_to_import(module: str) -> float:
    return float(
        fresh(
            "import time; start = time.perf_counter()\n"
            f"import {module}\n"
            "print(time.perf_counter() - start)"
        )
    )


def loaded_after(code: str) -> set[str]:
    printed = fresh(f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))")
    return {name.partition(".")[0] for name in json.loads(printed)}


def test_import_costs_no_more_than_geopandas_and_a_fifth() -> None:
    """The least of interleaved runs; a busy machine gets more of them before it counts."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(4):
        for _ in range(5):
            ours.append(seconds_to_import("urbangeo"))
            theirs.append(seconds_to_import("geopandas"))
        if min(ours) <= 1.2 * min(theirs):
            return
    pytest.fail(f"import urbangeo {min(ours):.3f} s, import geopandas {min(theirs):.3f} s")


def test_import_draws_in_nothing_heavy() -> None:
    loaded = loaded_after("import urbangeo")
    assert "urbangeo" in loaded
    assert not loaded & HEAVY


def test_names_that_do_not_draw_need_no_drawing_library() -> None:
    names = sorted(set(urbangeo.__all__) - DRAWING)
    loaded = loaded_after(f"import urbangeo\nfor name in {names}: getattr(urbangeo, name)")
    assert "geopandas" in loaded, "the names were fetched"
    assert not loaded & {"matplotlib", "osmnx", "cartopy"}


@pytest.mark.parametrize("name", urbangeo.__all__)
def test_every_public_name_is_there(name: str) -> None:
    value = getattr(urbangeo, name)
    assert getattr(value, "__name__", name) == name
    assert getattr(urbangeo, name) is value
    assert name in dir(urbangeo)


def test_type_checkers_and_python_find_the_same_names_in_the_same_places() -> None:
    tree = ast.parse(Path(urbangeo.__file__).read_text(encoding="utf-8"))
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = {
        alias.asname or alias.name: line.module
        for line in block.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }
    assert seen == urbangeo._HOMES
    assert set(urbangeo.__all__) == {*seen, "__version__"}


def test_no_public_name_is_also_a_module() -> None:
    """Importing such a module, anywhere, would put it in the place of the name."""
    modules = {found.name for found in pkgutil.iter_modules(urbangeo.__path__)}
    assert "places" in modules, "the modules were found"
    assert not modules & set(urbangeo.__all__)


def test_a_wrong_name_suggests_near_ones() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'comuting_circle'.*commuting_circle"):
        urbangeo.comuting_circle  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute 'zzz'; see urbangeo\.__all__"):
        urbangeo.zzz  # noqa: B018


def test_tools_that_probe_for_a_name_get_a_plain_no() -> None:
    assert not hasattr(urbangeo, "__wrapped__")


def test_the_network_is_cut_off_in_tests() -> None:
    with pytest.raises(AssertionError, match=r"example\.org"):
        socket.getaddrinfo("example.org", 443)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock,
        pytest.raises(AssertionError, match=r"192\.0\.2\.1"),
    ):
        sock.connect(("192.0.2.1", 443))
