"""The manifest, figures by key, and writing all of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import minimap
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import urbangeo.maps
from urbangeo.errors import InputError, OutputError, UnknownNameError
from urbangeo.maps import compose, prepare
from urbangeo.maps.atlas import atlas, draw, figure_table
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


MANIFEST = """
[[figure]]
key = "one/a"
extent = "guizhou"
title = "甲图"
pages = ["A4"]

[[figure]]
key = "one/b"
extent = "guizhou"
title = "乙图"
pages = ["A4", "A3"]

[[figure]]
key = "wrong"
extent = "guizhou"
colour = "red"
"""


def laid_out_as_text(key: str, *, failing: str = "", **options: Any) -> SimpleNamespace:
    """Stands in for drawing, which other tests look at."""
    if key == failing:
        raise InputError("no room")
    figure = Figure(figsize=(1.485, 1.05))
    figure.text(0.1, 0.5, f"{key} {options['page']}", gid="title")
    return SimpleNamespace(figure=figure)


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(prepare, "prepare", lambda record, _: record.key)
    monkeypatch.setattr(compose, "laid_out", laid_out_as_text)
    path = tmp_path / "figures.toml"
    path.write_text(MANIFEST, encoding="utf-8")
    return path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_each_figure_in_each_format_on_each_paper(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "new"
    asked = {"figures": ["one/a", "one/b"], "formats": ("png", "pdf"), "dpi": 30}
    written = atlas(out, **asked, manifest=manifest, jobs=1)  # type: ignore[arg-type]
    assert names(written) == [
        *("one-a.png", "one-a.pdf", "one-b.png", "one-b.pdf", "one-b-A3.png", "one-b-A3.pdf"),
        *("contact-sheet.png", "atlas-A4.pdf", "atlas-A3.pdf"),
    ]
    assert sorted(path.name for path in out.iterdir()) == sorted(names(written))


def test_one_paper_and_no_binding(manifest: Path, tmp_path: Path) -> None:
    asked = {"formats": ["svg"], "pages": ["A3"], "bind": False, "jobs": 1}
    written = atlas(tmp_path / "o", ["one/a", "one/b"], manifest=manifest, **asked)  # type: ignore[arg-type]
    assert names(written) == ["one-b-A3.svg"]


def test_figures_are_asked_for_by_patterns(manifest: Path, tmp_path: Path) -> None:
    asked = {"formats": ["png"], "pages": ["A4"], "bind": False, "jobs": 1, "dpi": 30}
    written = atlas(tmp_path / "o", ["one/b", "one/*"], manifest=manifest, **asked)  # type: ignore[arg-type]
    assert names(written) == ["one-b.png", "one-a.png"]
    with pytest.raises(UnknownNameError, match=r"Unknown figure 'two/\*'"):
        atlas(tmp_path / "p", ["two/*"], manifest=manifest)
    assert not (tmp_path / "p").exists()


def test_the_bound_pdf_has_an_outline(manifest: Path, tmp_path: Path) -> None:
    from pypdf import PdfReader

    atlas(tmp_path, ["one/a", "one/b"], ["png"], 30, manifest=manifest, jobs=1)
    bound = PdfReader(tmp_path / "atlas-A4.pdf")
    assert len(bound.pages) == 2
    group, figures = bound.outline
    assert group.title == "其他"  # type: ignore[union-attr]
    assert [one.title for one in figures] == ["one/a A4", "one/b A4"]  # type: ignore[union-attr]
    pages = [bound.get_destination_page_number(one) for one in figures]  # type: ignore[union-attr, arg-type]
    assert pages == [0, 1]


def test_a_second_run_gives_the_same_bytes(manifest: Path, tmp_path: Path) -> None:
    for name in ("x", "y"):
        atlas(tmp_path / name, ["one/a", "one/b"], dpi=30, manifest=manifest, jobs=1)
    for path in (tmp_path / "x").iterdir():
        assert path.read_bytes() == (tmp_path / "y" / path.name).read_bytes(), path.name


def test_wrong_and_failing_figures_do_not_stop_the_others(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "laid_out", partial(laid_out_as_text, failing="one/b"))
    out = tmp_path / "o"
    words = r"3 of 4 figures(?s:.*)wrong(?s:.*)unknown field|Unknown field 'colour'"
    with pytest.raises(InputError, match=words) as raised:
        atlas(out, formats=["png"], dpi=30, manifest=manifest, jobs=1)
    assert "one/b (A3): no room" in str(raised.value)
    assert sorted(path.name for path in out.iterdir()) == [
        *("atlas-A4.pdf", "contact-sheet.png", "one-a.png"),
    ]


def test_processes_give_the_same_as_one(tmp_path: Path) -> None:
    path = tmp_path / "f.toml"
    path.write_text(
        '[[figure]]\nkey = "a"\nextent = "guizhou"\ncounty_names = "none"\ninset = "none"\n',
        encoding="utf-8",
    )
    for name, jobs in (("one", 1), ("two", 2)):
        atlas(tmp_path / name, ["a"], ["svg"], manifest=path, jobs=jobs, bind=False)
    files = [(tmp_path / name / file) for name in ("one", "two") for file in ("a.svg", "a-A3.svg")]
    assert files[0].read_bytes() == files[2].read_bytes()
    assert files[1].read_bytes() == files[3].read_bytes()


def test_atlas_refuses_before_it_draws(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        atlas(tmp_path, figures=["no-such-figure"])
    with pytest.raises(InputError, match="'gif'; known: pdf, svg, png"):
        atlas(tmp_path, formats=["gif"])
    with pytest.raises(InputError, match="none; known"):
        atlas(tmp_path, formats=[])
    with pytest.raises(InputError, match="'A9'; known: A4, A3"):
        atlas(tmp_path, pages=["A9"])
    with pytest.raises(InputError, match="lang is 'fr'"):
        atlas(tmp_path, lang="fr")
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OutputError):
        atlas(blocked)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
