"""The manifest: what is refused, how it is named, and that the rest is still read."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from urbangeo.catalog import data_folder
from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.maps.atlas import draw
from urbangeo.maps.manifest import Manifest, read_manifest
from urbangeo.maps.style import missing_glyphs
from urbangeo.maps.symbols import LineStyle, PointStyle

DOCS = Path(__file__).parents[1] / "docs" / "writing-a-figure.md"
FIGURE = '[[figure]]\nkey = "a"\nplan = "qianzhong-2023"\nextent = "qianzhong-2023/qianzhong"\n'
LAYER = '[[figure.layer]]\nname = "园区"\nsource = "plan:parks"\n'
STYLED = LAYER + 'style = "park-national"\nlabel = "园区"\n'


def read(tmp_path: Path, text: str) -> Manifest:
    path = tmp_path / "x.toml"
    path.write_text(text, encoding="utf-8")
    return read_manifest(path)


def test_the_bundled_manifest_is_without_error() -> None:
    found = read_manifest()
    assert dict(found.errors) == {}
    assert {"qianzhong-2023/fig-1", "circle"} <= set(found.figures)


def test_a_figure_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, FIGURE + STYLED).figure("a")
    assert found.pages == ("A4", "A3")
    (layer,) = found.layers
    (only,) = layer.classes
    assert (layer.name, layer.source, only.label) == ("园区", "plan:parks", "园区")
    assert isinstance(only.style, PointStyle)


CLASSES = 'field = "level"\nclasses = [{value = "国家级", style = "park-national", label = "国"}]\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FIGURE + 'colour = "red"\n', r"figure 1 \(a\): Unknown field 'colour'"),
        (FIGURE + 'pages = ["A9"]\n', "pages is 'A9'; known: 'A4', 'A3'"),
        (FIGURE + "scale_bar_km = 0\n", "scale_bar_km is 0; a number above 0"),
        (FIGURE + 'view = "moon"\n', "view is 'moon'; known: 'province'"),
(FIGURE.replace("/qianzhong", "/qianzhon"), "Unknown extent 'qianzhong-2023/qianzhon'"),
        (FIGURE.replace("qianzhong-2023", "qz", 1), "Unknown plan 'qz'"),
        (FIGURE + LAYER, r"layer 1 \(园区\): it has neither a style nor classes"),
        (FIGURE + STYLED.replace("parks", "park"), "Unknown table of a plan 'park'"),
        (FIGURE + STYLED.replace("plan:parks", "layer:lakes"), "Unknown layer 'lakes'"),
        (FIGURE + STYLED.replace("plan:parks", "moon"), "Unknown source 'moon'"),
        (FIGURE + STYLED.replace("plan:parks", "circle:area"), "needs the field 'centres'"),
        (FIGURE + STYLED.replace("plan:parks", "file:no.gpkg"), "there is no file"),
        (FIGURE + STYLED.replace("park-national", "park-nation"), "Unknown style 'park-nation'"),
        (FIGURE + STYLED + 'colour = "rde"\n', "Unknown colour 'rde'"),
        (FIGURE + STYLED + "size = 0\n", "size is 0; a number above 0"),
        (FIGURE + STYLED + 'where = {lvl = "国家级"}\n', "Unknown field 'lvl'"),
        (FIGURE + STYLED + 'shape = "star"\n', "shape is 'star'"),
        (FIGURE + STYLED + 'names = {size = "huge"}\n', "Unknown size 'huge'"),
        (FIGURE + STYLED + "names = {bold = true}\n", "names: Unknown field 'bold'"),
        (FIGURE + LAYER + CLASSES.replace("level", "levl"), "Unknown field 'levl'"),
        (FIGURE + LAYER + CLASSES.replace(', label = "国"', ""), "field 'label' is missing"),
        (FIGURE + 'legend = [["园"]]\n' + STYLED, "legend: Unknown entry '园'"),
        (FIGURE + 'legend = [["县域边界"]]\n' + STYLED, "'园区' is drawn and not listed"),
        (FIGURE + 'legend = [["园区", "园区"]]\n' + STYLED, "'园区' stands there twice"),
        (FIGURE + 'legend = "园区"\n' + STYLED, "legend is not a list of columns"),
    ],
)  # fmt: skip
def test_a_wrong_figure_is_named(tmp_path: Path, text: str, words: str) -> None:
    found = read(tmp_path, text)
    with pytest.raises(TableError, match=words) as raised:
        found.figure("a")
    assert "x.toml" in str(raised.value)


def test_a_wrong_figure_costs_no_other(tmp_path: Path) -> None:
    good = FIGURE.replace('"a"', '"b"') + STYLED
    found = read(tmp_path, FIGURE + "size = 1\n" + good)
    assert list(found.figures) == ["b"]
    assert list(found.errors) == ["a"]


def test_two_figures_with_one_key_are_both_refused(tmp_path: Path) -> None:
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(FIGURE, encoding="utf-8")
    found = read_manifest(tmp_path)
    assert not found.figures
    with pytest.raises(TableError, match=r"has the key 'a' too, in one\.toml"):
        found.figure("a")


def test_a_file_that_is_no_toml_costs_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[[figure]\n", encoding="utf-8")
    (tmp_path / "good.toml").write_text(FIGURE, encoding="utf-8")
    found = read_manifest(tmp_path)
    assert list(found.figures) == ["a"]
    assert "not TOML" in str(found.errors[str(tmp_path / "bad.toml")])


def test_no_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No manifest was found"):
        read_manifest(tmp_path)
    with pytest.raises(UnknownNameError, match="Did you mean a"):
        read(tmp_path, FIGURE).figure("aa")


def test_ones_own_styles(tmp_path: Path) -> None:
    own = (
        '[style.mine]\nlike = "park-provincial"\nsize = 4.8\ncolour = "#123456"\n'
        '[style.road]\nkind = "line"\ncolour = "blue"\nwidth = 0.7\narrow = "end"\n'
    )
    layers = STYLED.replace("park-national", "mine") + LAYER.replace("园区", "二")
    found = read(tmp_path, own + FIGURE + layers + 'style = "road"\nlabel = "二"\n').figure("a")
    sign, line = (layer.classes[0].style for layer in found.layers)
    assert isinstance(sign, PointStyle)
    assert isinstance(line, LineStyle)
    assert (sign.size, sign.marks[0].face) == (pytest.approx(4.8), "#123456")
    assert (line.lines[0].width, line.lines[0].colour, line.arrow) == (0.7, "#0072B2", "end")


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ('like = "no"\n', "Unknown style 'no'"),
        ('kind = "blob"\n', "kind is 'blob'"),
        ('kind = "line"\nwidth = 0\n', "width is 0"),
        ('kind = "point"\nshape = "rocket"\n', "Unknown shape 'rocket'"),
        ('kind = "area"\nfill = "rde"\n', "Unknown colour 'rde'"),
        ('kind = "area"\nblur = 1\n', "Unknown field of a area style 'blur'"),
    ],
)
def test_a_wrong_style_is_named(tmp_path: Path, style: str, words: str) -> None:
    found = read(tmp_path, f"[style.mine]\n{style}")
    with pytest.raises(TableError, match=f"style 'mine': (?s:.*){words}"):
        raise next(iter(found.errors.values()))


# --- Drawing what a manifest says ---------------------------------------------------------------


def words_of(figure: Figure, gid: str) -> list[str]:
    found = [text for text in figure.findobj(Text) if (text.get_gid() or "").startswith(gid)]
    return [text.get_text() for text in found]  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Figure:
    """The example of the documentation, drawn."""
    found = re.search(r"```toml\n(\[style.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    path = tmp_path_factory.mktemp("manifest") / "my-figures.toml"
    path.write_text(found[1], encoding="utf-8")
    return draw("my/parks", manifest=path, lang="both")


def test_the_example_is_drawn_as_it_says(example: Figure) -> None:
    assert words_of(example, "title") == ["工业园区规划布局示意图"]
    assert words_of(example, "subtitle") == ["Industrial parks"]
    listed = words_of(example, "legend_entry")
    assert "国家级园区" in listed
    assert {"National", "Provincial", "Municipal"} <= set(words_of(example, "legend_other"))
    assert missing_glyphs(example) == {}


def test_every_entry_of_the_legend_is_drawn(example: Figure) -> None:
    gids = {artist.get_gid() for artist in example.axes[0].get_children()}
    listed = {text.split()[0] for text in words_of(example, "legend_entry")}
    drawn = {str(gid).split(":")[2] for gid in gids if str(gid).startswith("layer:")}
    assert drawn == listed - {"省域边界", "规划范围边界", "市域边界", "县域边界"}


def test_what_has_no_place_is_told(example: Figure) -> None:
    """毕节城镇群 (第三章第五节) names no county, so that nothing can be dissolved."""
    note = "".join(words_of(example, "note"))
    assert "“城镇组团”11项中1项文本未给出可定位的地点，未绘（毕节城镇群）。" in note
    assert note.startswith("示意：")


def test_a_figure_without_an_extent_is_about_the_province(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('[[figure]]\nkey = "a"\nplan = "guizhou-urbanization-2022"\n', encoding="utf-8")
    figure = draw("a", manifest=path)
    assert words_of(figure, "legend_entry") == ["省域边界", "市域边界", "县域边界"]
    drawn = {artist.get_gid() for artist in figure.axes[0].get_children()}
    assert "member" in drawn
    assert "line:extent" not in drawn


def test_a_plan_of_ones_own_stands_beside_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder is found from the manifest, wherever the caller stands."""
    shutil.copytree(data_folder() / "plans" / "zunyi-metro-2022", tmp_path / "my-plan")
    about = tmp_path / "my-plan" / "plan.toml"
    words = about.read_text(encoding="utf-8")
    words = words.replace('key = "zunyi-metro-2022"', 'key = "my-plan"')
    words = re.sub(r'title = ".*"', 'title = "自己的规划"', words, count=1)
    about.write_text(words, encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = tmp_path / "x.toml"
    own = FIGURE.replace("qianzhong-2023/qianzhong", "my-plan/zunyi-metro")
    own = own.replace("qianzhong-2023", "my-plan")
    members = '[[figure.layer]]\nname = "成员"\nsource = "members:my-plan/zunyi-metro"\n'
    members += 'style = "class-2"\nlabel = "成员"\n'
    path.write_text(own + STYLED + members, encoding="utf-8")
    figure = draw("a", manifest=path)
    assert words_of(figure, "heading") == ["自己的规划"]
    assert "《自己的规划》" in "".join(words_of(figure, "note"))
    assert {"园区", "成员"} <= set(words_of(figure, "legend_entry"))
    path.write_text(own.replace("my-plan/zunyi", "my-plan/zunji"), encoding="utf-8")
    with pytest.raises(TableError, match="Unknown extent of my-plan 'zunji-metro'"):
        draw("a", manifest=path)


MAPS = """
[[figure.map]]
title = "规划"
extent = "qianzhong-2023/guiyang-metro"

[[figure.map]]
title = "计算"
extent = "zunyi-metro-2022/zunyi-metro"
"""


def test_maps_stand_side_by_side_at_one_scale(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    second = STYLED.replace("plan:parks", "plan:cities").replace("园区", "城市")
    text = FIGURE + MAPS + STYLED + 'maps = ["规划"]\n' + second + 'maps = ["计算"]\n'
    path.write_text(text, encoding="utf-8")
    figure = draw("a", manifest=path)
    assert words_of(figure, "map_title") == ["规划", "计算"]
    left, right = (
        {str(artist.get_gid()).split(":")[1] for artist in axes.get_children()
         if str(artist.get_gid()).startswith("layer:")}
        for axes in figure.axes[:2]
    )  # fmt: skip
    assert (left, right) == ({"园区"}, {"城市"})
    spans = [axes.get_xlim()[1] - axes.get_xlim()[0] for axes in figure.axes[:2]]
    widths = [axes.get_position().width for axes in figure.axes[:2]]
    assert spans[0] / widths[0] == pytest.approx(spans[1] / widths[1])
    notes = "".join(words_of(figure, "note"))
    assert "黔中城市群" in notes
    assert "遵义" in notes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MAPS.split("[[figure.map]]")[1].join(["[[figure.map]]", ""]), "two or three"),
        (MAPS.replace("计算", "规划"), "two or three with different titles"),
        (MAPS.replace("guiyang-metro", "nowhere"), "Unknown extent 'qianzhong-2023/nowhere'"),
        (MAPS + STYLED + 'maps = ["别处"]\n', "Unknown map '别处'"),
        (STYLED + 'course = "network"\n', "course is for a plan's table of transport"),
        (STYLED + 'count = "town"\n', "count is 'town'; known: '', 'county'"),
        (STYLED + 'count = "county"\nsort = "level"\n', "Unknown field 'level'"),
    ],
)
def test_wrong_maps_and_counts_are_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(FIGURE + text, encoding="utf-8")
    with pytest.raises(TableError, match=words):
        draw("a", manifest=path)


def test_an_empty_layer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(FIGURE + STYLED + 'where = {level = "乡级"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"x.toml, a, 园区: no row is left of 'plan:parks'"):
        draw("a", manifest=path)


def test_a_style_for_another_geometry_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(FIGURE + STYLED.replace("park-national", "axis"), encoding="utf-8")
    with pytest.raises(InputError, match="'园区' has a style for a line, found a point; set shape"):
        draw("a", manifest=path)


def test_printed_classes_without_members_are_told_and_not_drawn(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    text = 'legend = [["县域边界", "园区", "规划煤矿"]]\nabsent = ["规划煤矿"]\n'
    path.write_text(FIGURE + text + STYLED, encoding="utf-8")
    figure = draw("a", manifest=path)
    assert words_of(figure, "legend_entry") == ["县域边界", "园区"]
    assert "图例“规划煤矿”文本未给出可定位的成员，未绘" in "".join(words_of(figure, "note"))
    path.write_text(
        FIGURE + text.replace('矿"]\n', '矿 | Coal mine"]\n') + STYLED, encoding="utf-8"
    )
    english = draw("a", manifest=path, lang="en")
    assert "Legend “Coal mine”: the text gives no member" in "".join(words_of(english, "note"))
