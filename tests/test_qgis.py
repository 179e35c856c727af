"""What is written for QGIS, opened and drawn by QGIS itself.

QGIS is no Python package: these tests run its own Python, that of the system, and are skipped where
``import qgis.core`` fails there (Debian: ``apt install python3-qgis``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import exportmap
import minimap
import numpy as np
import pytest
import test_qgis_exporting
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from urbangeo.maps.compose import lay_out
from urbangeo.maps.manifest import read_manifest
from urbangeo.maps.prepare import prepare
from urbangeo.maps.printing import save
from urbangeo.maps.qgis.geopackage import write_geopackage
from urbangeo.maps.qgis.project import map_names, write_project
from urbangeo.maps.qgis.records import ExportMap
from urbangeo.maps.style import font_file
from urbangeo.maps.symbols import STYLES, LineStyle, PointStyle

SCRIPT = Path(__file__).with_name("qgisdrawing.py")
DPI = 120


def python() -> str:
    return os.environ.get("URBANGEO_QGIS_PYTHON") or "/usr/bin/python3"


def ask(*arguments: object) -> dict[str, Any]:
    """Run the script under QGIS's Python; what QGIS prints on standard error must be harmless."""
    folder = os.environ.get("TMPDIR", "/tmp")  # noqa: S108 where Qt may keep its runtime files
    fonts = [str(font_file(weight)) for weight in ("regular", "medium", "bold")]
    home = Path(arguments[-1] if len(arguments) < 3 else str(arguments[2]))
    done = subprocess.run(
        [python(), str(SCRIPT), *map(str, arguments)],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home if home.is_dir() else folder),
            "XDG_RUNTIME_DIR": str(home if home.is_dir() else folder),
            "LC_ALL": "C.UTF-8",
            "QT_QPA_PLATFORM": "offscreen",
            "URBANGEO_FONTS": os.pathsep.join(fonts),
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    warned = [
        line
        for line in done.stderr.splitlines()
        # QGIS adds a world file to a picture through a driver that cannot, and tells so.
        if line.strip() and "PNG driver does not support update" not in line
        and not line.startswith("QStandardPaths")
    ]  # fmt: skip
    assert warned == []
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _missing() -> str:
    if shutil.which(python()) is None:
        return f"there is no {python()}"
    done = subprocess.run(
        [python(), "-c", "import qgis.core"], capture_output=True, encoding="utf-8", check=False,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2]


@dataclass
class Drawn:
    """A GeoPackage and a project, what QGIS says of them, and our own picture of the figure."""

    maps: list[ExportMap]
    layers: dict[str, Any]
    project: dict[str, Any]
    folder: Path
    figure: Figure


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    missing = _missing()
    if missing:
        pytest.skip(f"QGIS is not installed for {python()}: {missing}")
    folder = tmp_path_factory.mktemp("qgis")
    record = read_manifest(test_qgis_exporting.write(folder)).figure("my/sites")
    prepared = prepare(record, {"extent": minimap.extent(), **minimap.layers()})
    figure = lay_out(prepared)
    real, _ = test_qgis_exporting.exported(prepared, figure)
    hand = replace(exportmap.export_map(), heading="手绘")
    half = replace(hand, figure="my/two", part="左", frame=(20.0, 40.0, 140.0, 120.0), inset=None)
    maps = [real, hand, half, replace(half, part="右", frame=(140.0, 40.0, 260.0, 120.0))]
    package = write_geopackage(maps, folder / "atlas.gpkg")[0]
    project = write_project(maps, folder / "atlas.qgs", package)
    moved = folder / "moved"
    moved.mkdir()
    # A colleague has the two files somewhere else.
    package, project = (Path(shutil.move(one, moved)) for one in (package, project))
    pictures = folder / "pictures"
    pictures.mkdir()
    return Drawn(
        maps,
        ask("layers", package, pictures),
        ask("project", project, pictures, DPI),
        pictures,
        figure,
    )


def test_every_layer_is_valid_and_draws(drawn: Drawn) -> None:
    found = drawn.layers["layers"]
    tables = {layer.table for one in drawn.maps for layer in one.layers}
    assert tables <= set(found)
    for name, about in found.items():
        assert about["valid"], name
        assert about["errors"] == [], name
        assert about["features"] > 0, name
        assert about["marked"] > 20, name
    assert drawn.layers["messages"] == []


def test_the_default_style_comes_from_the_geopackage(drawn: Drawn) -> None:
    found = drawn.layers["layers"]
    for one in drawn.maps:
        for layer in one.layers:
            about = found[layer.table]
            assert layer.title in about["styles"]
            assert about["named"] == any(single.names for single in layer.classes)
            if about["renderer"] == "QgsNullSymbolRenderer":
                assert layer.table.endswith("__names_point")
            elif len(layer.classes) == 1:
                assert about["renderer"] == "QgsSingleSymbolRenderer"
            else:
                counted = layer.frame["class"].value_counts().to_dict()
                assert about["categories"] == counted
                assert list(about["categories"]) == [single.value for single in layer.classes]


def test_the_project_opens_without_a_word(drawn: Drawn) -> None:
    about = drawn.project
    assert about["read"]
    assert about["invalid"] == []
    assert about["count"] == sum(len(one.layers) for one in drawn.maps)
    assert about["messages"] == []
    names = list(map_names(drawn.maps).values())
    titles = ["图 1 厂址", "手绘 图1 示例", "手绘 图1 示例（左）", "手绘 图1 示例（右）"]
    assert list(about["maps"]) == names == titles
    assert [one["visible"] for one in about["maps"].values()] == [True, False, False, False]
    assert sorted(about["themes"]) == sorted(titles)
    for one, told in zip(drawn.maps, about["maps"].values(), strict=True):
        assert told["errors"] == []
        assert told["layers"] == [layer.title for layer in reversed(one.layers)]
        assert told["scale"] == pytest.approx(one.scale, rel=0.005)


def test_layouts_have_the_sheets_scale(drawn: Drawn) -> None:
    found = drawn.project["layouts"]
    assert list(found) == ["图 1 厂址", "手绘 图1 示例", "手绘 图1 示例 [my/two]"]
    for name, one in zip(found, drawn.maps, strict=False):
        assert found[name]["status"] == 0
        assert found[name]["theme"] in drawn.project["themes"]
        assert found[name]["scale"] == pytest.approx(one.scale, rel=1e-4)


def near(pixels: NDArray[np.uint8], colour: str) -> float:
    """Share of pixels of a colour."""
    wanted = np.round(255 * np.array(to_rgb(colour)))
    return float((np.abs(pixels.astype(int) - wanted).max(axis=-1) <= 12).mean())


def pictures(drawn: Drawn) -> Iterator[NDArray[np.uint8]]:
    """The map of the figure as QGIS draws it, and as the sheet shows it."""
    path = save(drawn.figure, drawn.folder / "ours.png", dpi=DPI)
    ours = np.asarray(Image.open(path).convert("RGB"))
    per_mm = DPI / 25.4
    left, bottom, right, top = drawn.maps[0].frame
    page = drawn.maps[0].page
    rows = slice(round((page[1] - top) * per_mm), round((page[1] - bottom) * per_mm))
    theirs = np.asarray(Image.open(drawn.folder / "map-0.png").convert("RGB"))
    yield theirs
    yield ours[rows, round(left * per_mm) : round(right * per_mm)]


def test_qgis_draws_what_the_sheet_shows(drawn: Drawn) -> None:
    theirs, ours = pictures(drawn)
    height, width = (min(a, b) for a, b in zip(theirs.shape[:2], ours.shape[:2], strict=True))
    assert max(abs(a - b) for a, b in zip(theirs.shape[:2], ours.shape[:2], strict=True)) <= 2
    # The left half of the map bears no furniture.
    theirs, ours = theirs[:height, : width // 2], ours[:height, : width // 2]
    for colour in ("#FCEBCB", "#F8F8F6", "#E9EDEF", "#B3202A", "#C9C2D6"):
        share = near(ours, colour)
        assert share > 0.001, colour
        assert near(theirs, colour) == pytest.approx(share, rel=0.15, abs=0.001), colour
    blocks = [
        one[: height // 8 * 8, : width // 16 * 8]
        .reshape(height // 8, 8, -1, 8, 3)
        .mean(axis=(1, 3))
        for one in (theirs, ours)
    ]
    off = np.abs(blocks[0] - blocks[1]).max(axis=-1)
    # Lines and names may stand a pixel apart; nothing is missing or elsewhere.
    assert (off > 40).mean() < 0.02


def test_classes_have_their_colours(drawn: Drawn) -> None:
    theirs, _ = pictures(drawn)
    road = STYLES["channel-road"]
    park = STYLES["park-national"]
    assert isinstance(road, LineStyle)
    assert isinstance(park, PointStyle)
    assert near(theirs, road.lines[0].colour) > 0.0005
    assert near(theirs, park.marks[0].face) > 0.0001
