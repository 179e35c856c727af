"""The manifest, figures by key, and writing all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import minimap
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import urbangeo.maps
from urbangeo.errors import InputError, OutputError, TableError, UnknownNameError
from urbangeo.maps import atlas as module
from urbangeo.maps.atlas import atlas, draw, figure_record, figure_table
from urbangeo.maps.style import missing_glyphs
from urbangeo.plans import extent

FIG_1 = "qianzhong-2023/fig-1"


@pytest.fixture(scope="module")
def fig_1() -> Figure:
    return draw(FIG_1)


def texts(figure: Figure, gid: str) -> list[str]:
    found = [text for text in figure.findobj(Text) if (text.get_gid() or "").startswith(gid)]
    return [text.get_text() for text in found]  # type: ignore[attr-defined]


def test_the_manifest_lists_both_figures() -> None:
    assert {FIG_1, "circle"} <= set(figure_table()["key"])


def test_fig_1_is_as_printed(fig_1: Figure) -> None:
    assert texts(fig_1, "heading") == ["黔中城市群发展规划"]
    assert texts(fig_1, "title") == ["规划范围图"]
    assert texts(fig_1, "number") == ["图 1"]
    assert texts(fig_1, "scale_bar_text") == ["0", "25", "50", "75"]
    assert texts(fig_1, "legend_entry") == ["省域边界", "规划范围边界", "市域边界", "县域边界"]
    assert missing_glyphs(fig_1) == {}


def test_fig_1_names_all_members_without_collision(fig_1: Figure) -> None:
    import test_figures

    counties = extent("qianzhong-2023/qianzhong").counties
    written = {text.replace("\n", "") for text in texts(fig_1, "label:")}
    missing = [
        row.name for row in counties.itertuples(index=False)
        if row.name not in written and row.short_name not in written
    ]  # fmt: skip
    assert len(counties) == 33
    assert missing == []
    test_figures.check_names(fig_1)


def test_fig_1_says_where_it_is_from(fig_1: Figure) -> None:
    note = "".join(texts(fig_1, "note"))
    assert "《黔中城市群高质量发展规划》（贵州省发展和改革委员会，2023-07）" in note
    assert extent("qianzhong").counties.attrs["provenance"]["attribution"] in note


def test_a_circle_is_drawn_as_given() -> None:
    given = {
        "circle": minimap.circle(),
        "counties": minimap.counties(),
        "province": minimap.province(),
    }
    figure = draw("circle", **given, title="某圈", approval="某S（2026）1号")
    assert texts(figure, "title") == ["某圈示意图"]
    assert "审图号：某S（2026）1号" in "".join(texts(figure, "note"))
    with pytest.raises(InputError, match="minutes too"):
        draw("circle", **given, minutes=30)


def test_unknown_names_suggest_near_ones() -> None:
    with pytest.raises(UnknownNameError, match=f"Did you mean {FIG_1}"):
        draw("qianzhong-2023/fig1")
    with pytest.raises(UnknownNameError, match="Did you mean province"):
        draw(FIG_1, provinces=None)


def test_the_package_names_are_functions() -> None:
    for name in urbangeo.maps.__all__:
        assert callable(getattr(urbangeo.maps, name))
    with pytest.raises(AttributeError):
        urbangeo.maps.no_such_name  # noqa: B018


def stub(monkeypatch: pytest.MonkeyPatch, failing: str = "") -> None:
    def made(key: str, **inputs: Any) -> Figure:
        if key == failing:
            raise InputError("no room")
        figure = Figure(figsize=(1, 1))
        figure.text(0.1, 0.1, key)
        return figure

    monkeypatch.setattr(module, "draw", made)


def test_atlas_writes_each_figure_in_each_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(monkeypatch)
    keys = list(figure_table()["key"])
    written = atlas(tmp_path / "new", formats=("png", "svg"), dpi=30)
    expected = [f"{key.replace('/', '-')}.{kind}" for key in keys for kind in ("png", "svg")]
    assert [path.name for path in written] == expected
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(expected)


def test_a_failing_figure_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(monkeypatch, failing=FIG_1)
    with pytest.raises(InputError, match=rf"1 of 2 figures(?s:.*){FIG_1}: no room"):
        atlas(tmp_path, figures=[FIG_1, "circle"], formats=["png"], dpi=30)
    assert [path.name for path in tmp_path.iterdir()] == ["circle.png"]


def test_atlas_refuses_before_it_draws(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        atlas(tmp_path, figures=["no-such-figure"])
    with pytest.raises(InputError, match="'gif'; known: pdf, svg, png"):
        atlas(tmp_path, formats=["gif"])
    with pytest.raises(InputError, match="none; known"):
        atlas(tmp_path, formats=[])
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OutputError):
        atlas(blocked)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


ENTRY = '[[figure]]\nkey = "a"\nkind = "extent"\nextent = "e"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ENTRY + 'colour = "red"\n', "unknown field 'colour'"),
        (ENTRY + ENTRY, "another figure has the key 'a'"),
        (ENTRY.replace("extent", "sketch", 1), "kind is 'sketch'; known: extent, circle"),
        (ENTRY.replace('extent = "e"\n', ""), "needs the field 'extent'"),
        (ENTRY + 'page = "A9"\n', "page is 'A9'"),
        (ENTRY + "scale_bar_km = 0\n", "scale_bar_km is 0; a number above 0"),
        ('[[figure]]\nkind = "circle"\n', "field 'key' is missing"),
        ('[[figure]]\nkey = "c"\nkind = "circle"\n', "needs the field 'centres'"),
        ("[figures]\n", "unknown table 'figures'"),
        ("[[figure]\n", "not TOML"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=words):
        module._manifest(tmp_path)


def test_a_right_manifest_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(ENTRY, encoding="utf-8")
    assert list(module._manifest(tmp_path)) == ["a"]
    assert figure_record("circle").minutes == 60
