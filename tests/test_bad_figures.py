"""What is wrong with a manifest, the font or the disk is told; all that can be drawn is drawn.

The command is run in this process, and draws with one: the last tests start others.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import pytest
from shapely.geometry import Point

from urbangeo import cli, plans
from urbangeo.maps import compose, style
from urbangeo.maps.compose import LaidOut, laid_out
from urbangeo.maps.manifest import read_manifest

Run = Callable[..., tuple[int, str]]

GOOD = """
[[figure]]
key = "good"
title = "好图"
extent = "guizhou"
county_names = "none"
inset = "none"
pages = ["A4"]
"""


def bad(key: str, rest: str = "", **fields: str) -> str:
    """An entry that is right but for what is given."""
    known = {"key": f'"{key}"', "plan": '"qianzhong-2023"', "pages": '["A4"]', **fields}
    return "[[figure]]\n" + "".join(f"{k} = {v}\n" for k, v in known.items() if v) + rest + "\n"


def layer(**fields: str) -> str:
    known = {
        "name": '"园区"',
        "source": '"plan:parks"',
        "style": '"park-national"',
        "label": '"园区"',
        **fields,
    }
    return "[[figure.layer]]\n" + "".join(f"{k} = {v}\n" for k, v in known.items() if v)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The good figure is not drawn but stands in its place; the others are."""

    def sheet(prepared: Any, **options: Any) -> LaidOut:
        if prepared.figure.key != "good":
            return laid_out(prepared, **options)
        from matplotlib.figure import Figure

        return LaidOut(Figure(figsize=(1.485, 1.05)), (), None, "", "好图", "", ())

    monkeypatch.setattr(compose, "laid_out", sheet)


@pytest.fixture
def atlas(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Run `urbangeo atlas` on a manifest; give status and what it says of errors."""

    def run(text: str, *words: str, out: str = "out", jobs: int = 1) -> tuple[int, str]:
        path = tmp_path / "figures.toml"
        path.write_text(text, encoding="utf-8")
        asked = ["-o", str(tmp_path / out), "--manifest", str(path), "--jobs", str(jobs), *words]
        monkeypatch.setattr(sys, "argv", ["urbangeo", "atlas", "--format", "svg", *asked])
        status = 0
        try:
            cli.main()
        except SystemExit as stop:
            status = int(stop.code or 0)
        return status, capsys.readouterr().err

    return run


def written(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "out").iterdir())


# Found when the manifest is read ------------------------------------------------------------------

# Each with what must be said: the thing, what was found, what is known or to be done.
WRONG = [
    ("layer", bad("x", layer(source='"layer:conties"')), "Unknown layer 'conties'. Did you mean"),
    ("table", bad("x", layer(source='"plan:park"')), "Unknown table of a plan 'park'"),
    ("field", bad("x", layer(where="{lvl = 'x'}")), "Unknown field 'lvl'. Did you mean level"),
    ("field of a figure", bad("x", colour='"red"'), "figure 2 (x): Unknown field 'colour'"),
    ("colour", bad("x", layer(colour='"rde"')), "layer 1 (园区): Unknown colour 'rde'. Did you"),
    ("style", bad("x", layer(style='"park"')), "layer 1 (园区): Unknown style 'park'. Did you"),
    ("size", bad("x", layer(size="0")), "size is 0; a number above 0 is expected"),
    ("width", bad("x", layer(width_km="-3")), "width_km is -3; a number above 0 is expected"),
    ("scale bar", bad("x", scale_bar_km="50"), "can be divided by 3 is expected, such as 30, 45"),
    ("no scale bar", bad("x", scale_bar_km="0"), "scale_bar_km is 0; a number above 0"),
    ("extent", bad("x", extent='"qianzhon"'), "Unknown extent 'qianzhon'. Did you mean qianzhong"),
    ("plan", bad("x", plan='"qianzhong"'), "Unknown plan 'qianzhong'. Did you mean qianzhong-20"),
    ("inset", bad("x", inset='["南明"]'), "Unknown county '南明'. Did you mean 南明区"),
    ("pages", bad("x", pages='["A5"]'), "pages is 'A5'; known: 'A4', 'A3'"),
    (
        "map title twice",
        bad("x", '[[figure.map]]\ntitle = "甲"\n[[figure.map]]\ntitle = "甲"\n'),
        "maps are ['甲', '甲']; two or three with different titles are expected",
    ),
    ("file", bad("x", layer(source='"file:none.gpkg"')), "there is no file"),
    (
        "legend",
        bad("x", layer(), legend='[["园区", "公园"]]'),
        "legend: Unknown entry '公园'. Did you mean 园区",
    ),
    (
        "list",
        bad("x", '[figure.list]\ntitle = "表"\nlayers = ["某层"]\nvalue = "name"\n' + layer()),
        "list: Unknown layer '某层'",
    ),
]


@pytest.mark.usefixtures("quick")
def test_every_wrong_figure_is_named_and_the_good_one_drawn(atlas: Run, tmp_path: Path) -> None:
    entries = [text.replace('"x"', f'"x{i}"', 1) for i, (_, text, _) in enumerate(WRONG)]
    status, said = atlas(GOOD + "".join(entries))
    assert status == 2
    assert written(tmp_path) == ["atlas-A4.pdf", "contact-sheet.png", "good.svg"]
    assert f"{len(WRONG)} of {len(WRONG) + 1} figures could not be drawn (the others were" in said
    for i, (what, _, words) in enumerate(WRONG):
        words = words.replace("figure 2 (x)", f"figure {i + 2} (x{i})")
        assert words in said, what
        assert f"figure {i + 2} (x{i})" in said, what
    assert "figures.toml" in said
    assert "Traceback" not in said


@pytest.mark.usefixtures("quick")
def test_two_figures_with_one_key_are_both_refused(atlas: Run, tmp_path: Path) -> None:
    status, said = atlas(GOOD + bad("x") + bad("x"))
    assert status == 2
    assert "another figure has the key 'x' too, in figures.toml" in said
    assert "good.svg" in written(tmp_path)


@pytest.mark.usefixtures("quick")
def test_two_figures_of_one_file_are_refused(atlas: Run, tmp_path: Path) -> None:
    """`/` is written `-`, A3 is a suffix, and some disks do not tell A from a."""
    pages = {"pages": '["A4", "A3"]'}
    keys = ("a/b", "A-b", "c", "c-A3", "contact-sheet")
    status, said = atlas(GOOD + "".join(bad(key, **pages) for key in keys))
    assert status == 2
    assert "5 of 6 figures could not be drawn (the others were written):" in said
    assert "'a/b' and 'A-b' would both be written as A-b; rename one" in said
    assert "'c' and 'c-A3' would both be written as c-A3; rename one" in said
    assert "contact-sheet is a name of the atlas; choose another key" in said
    assert written(tmp_path) == ["atlas-A4.pdf", "contact-sheet.png", "good.svg"]


@pytest.mark.usefixtures("quick")
def test_an_extent_without_members(
    atlas: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = plans.extent

    def extent(name: str) -> Any:
        return SimpleNamespace(adcodes=()) if name == "qianzhong" else real(name)

    monkeypatch.setattr(plans, "extent", extent)
    wrong = bad("x", layer(source='"members:qianzhong"'), extent='"qianzhong"')
    status, said = atlas(GOOD + wrong)
    assert status == 2
    assert "extent 'qianzhong' has no member" in said
    assert "the extent of 'members:qianzhong' has no member" in said
    assert "good.svg" in written(tmp_path)


def test_what_is_no_manifest(atlas: Run, tmp_path: Path) -> None:
    status, said = atlas("[[figure]\nkey = ")
    assert status == 2
    assert "figures.toml: 1 finding(s), nothing was read:" in said
    assert "not TOML in UTF-8" in said
    status, said = atlas(GOOD, "--only", "god")
    assert status == 2
    assert "Unknown figure 'god'. Did you mean good?" in said
    for text in ('[figure]\nkey = "a"\n', 'figure = ["a"]\n'):
        status, said = atlas(text)
        assert "figures are written [[figure]], with two brackets" in said
        assert status == 2
    status, said = atlas('style = "red"\n')
    assert "styles are written [style.NAME]" in said
    assert status == 2


def test_two_styles_of_one_name_in_two_files(tmp_path: Path) -> None:
    for name, colour in (("one", "red"), ("two", "blue")):
        text = f'[style.mine]\nkind = "line"\ncolour = "{colour}"\n'
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    found = read_manifest(tmp_path).errors
    assert list(found) == [str(tmp_path / "two.toml")]
    assert found[str(tmp_path / "two.toml")].findings == [
        "style 'mine': another has the name too, in one.toml"
    ]


def test_a_file_that_cannot_be_read_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.read_text

    def read(path: Path, **options: Any) -> str:
        if path.name == "locked.toml":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path, **options)

    monkeypatch.setattr(Path, "read_text", read)
    for name in ("good", "locked"):
        (tmp_path / f"{name}.toml").write_text(GOOD, encoding="utf-8")
    found = read_manifest(tmp_path)
    assert list(found.figures) == ["good"]
    (error,) = found.errors.values()
    assert "locked.toml" in str(error)
    assert "cannot be read: Permission denied" in str(error)


# Found when it is drawn ---------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
def test_what_is_wrong_with_the_data_is_told_by_figure_and_paper(
    atlas: Run, tmp_path: Path
) -> None:
    rows = gpd.GeoDataFrame({"name": ["甲"]}, geometry=[Point(106, 27)], crs=32648)
    rows.to_file(tmp_path / "lost.shp", encoding="utf-8")
    (tmp_path / "lost.prj").unlink()
    wrong = (
        bad("empty", layer(where="{level = '乡级'}"))
        + bad("lost", layer(source='"file:lost.shp"'))
        + bad("kind", layer(style='"axis"'))
        + bad("column", layer(source='"layer:counties"', where="{nam = '甲'}"))
        + bad("nowhere", layer(source='"plan:indicators"'))
    )
    status, said = atlas(GOOD + wrong)
    assert status == 2
    assert written(tmp_path) == ["atlas-A4.pdf", "contact-sheet.png", "good.svg"]
    for words in (
        "empty (A4): figures.toml, empty, 园区: no row is left of 'plan:parks' after where =",
        "Correct the filter, or set optional = true.",
        "lost (A4): ",
        "has no coordinate reference system",
        "kind (A4): figures.toml, kind, 园区: the class '园区' has a style for a line, found a po",
        "column (A4): Unknown field of 'layer:counties' 'nam'. Did you mean name",
        "nowhere (A4): figures.toml, nowhere, 园区: none of the",
    ):
        assert words in said
    assert "Traceback" not in said


def test_a_missing_font_is_told(atlas: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    style.font_file.cache_clear()
    monkeypatch.setattr(style, "find_spec", lambda name: None)
    status, said = atlas(GOOD)
    style.font_file.cache_clear()
    assert status == 2
    assert "good (A4): The font Noto Sans CJK SC (NotoSansCJKsc-" in said
    assert "was expected in the package mpl-font and not found. Install it: pip install" in said


# The disk -----------------------------------------------------------------------------------------


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """From now on nothing can be written to the folder whose name holds some letters."""
    real = Path.write_bytes

    def fill(letters: str) -> None:
        def write(path: Path, content: bytes) -> int:
            if letters in path.name and tmp_path / "out" in path.parents:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(path, content)

        monkeypatch.setattr(Path, "write_bytes", write)

    return fill


TWO = GOOD + GOOD.replace('"good"', '"second"')


@pytest.fixture
def both_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    def sheet(prepared: Any, **options: Any) -> LaidOut:
        return LaidOut(Figure(figsize=(1.485, 1.05)), (), None, "", "图", "", ())

    monkeypatch.setattr(compose, "laid_out", sheet)


@pytest.mark.usefixtures("both_quick")
def test_a_disk_that_is_full_for_one_figure(
    atlas: Run, tmp_path: Path, full_disk: Callable[[str], None]
) -> None:
    full_disk("second")
    status, said = atlas(TWO + bad("x", colour='"red"'))
    assert status == 2
    assert f"Cannot write {tmp_path / 'out' / 'second.svg'}: No space left on device." in said
    # What else is wrong is not forgotten for it.
    assert "Unknown field 'colour'" in said
    assert "2 of 3 figures could not be drawn (the others were written):" in said
    # Nothing half-written is left.
    assert written(tmp_path) == ["atlas-A4.pdf", "contact-sheet.png", "good.svg"]


@pytest.mark.usefixtures("both_quick")
def test_a_disk_that_is_full(atlas: Run, tmp_path: Path, full_disk: Callable[[str], None]) -> None:
    full_disk("")
    status, said = atlas(TWO)
    assert status == 2
    assert said.count("No space left on device") == 2
    assert "2 of 2 figures could not be drawn:" in said
    assert written(tmp_path) == []


@pytest.mark.usefixtures("both_quick")
def test_a_disk_that_fills_when_the_atlas_is_bound(
    atlas: Run, tmp_path: Path, full_disk: Callable[[str], None]
) -> None:
    full_disk("contact-sheet")
    status, said = atlas(TWO)
    assert status == 2
    assert f"Cannot write {tmp_path / 'out' / 'contact-sheet.png'}: No space left" in said
    assert {"good.svg", "second.svg"} <= set(written(tmp_path))
    assert "contact-sheet.png" not in written(tmp_path)


def test_an_output_folder_that_is_a_file_or_cannot_be_made(
    atlas: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("mine")
    for out in ("taken", "taken/below"):
        status, said = atlas(GOOD, out=out)
        assert status == 2
        assert f"Cannot write to the folder {tmp_path / out}: " in said
        assert "Choose a folder that you may write to." in said
    assert (tmp_path / "taken").read_text() == "mine"

    def refuse(*words: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", refuse)
    status, said = atlas(GOOD, out="locked")
    assert (status, "Permission denied" in said) == (2, True)


# Processes ----------------------------------------------------------------------------------------

DYING = """
import os

import urbangeo.maps.prepare as module

ready = module.prepare


def prepare(record, inputs):
    if record.key == "dies":
        os._exit(7)
    return ready(record, inputs)


module.prepare = prepare
"""


def test_a_process_that_dies_costs_one_figure(
    atlas: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "way").mkdir()
    (tmp_path / "way" / "sitecustomize.py").write_text(DYING, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "way"))
    dies, last = (GOOD.replace('"good"', f'"{key}"') for key in ("dies", "last"))
    status, said = atlas(dies + GOOD + last, "--no-bind", jobs=2)
    assert status == 2
    assert "1 of 3 figures could not be drawn (the others were written):" in said
    assert "dies (A4): the process that drew it ended with status 7; was there memory" in said
    assert written(tmp_path) == ["good.svg", "last.svg"]
