"""The note below a map: what is schematic, what is missing, whose data, which projection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from urbangeo._version import __version__
from urbangeo.maps.layers import StyledLayer

if TYPE_CHECKING:
    import geopandas as gpd

    from urbangeo.maps.prepare import Prepared
    from urbangeo.maps.sheet import Sheet

__all__ = ["Words", "note_of"]


@dataclass(frozen=True)
class Words:
    """What only the caller can say of a figure: 审图号, the date of drawing."""

    approval: str | None = None
    date: str = ""


def note_of(prepared: Prepared, sheet: Sheet, drawn: Iterable[str], words: Words) -> list[str]:
    """Give the paragraphs of a figure's note.

    Parameters
    ----------
    drawn
        Texts of the entries that the legend has.
    """
    figure = prepared.figure
    boundaries = _attributions(prepared.frames)
    closing = _closing_note(sheet, words)
    if prepared.circle is not None:
        return [*prepared.circle.note(boundaries), closing]
    layers = prepared.layers
    styled = [layer for layer in layers if isinstance(layer, StyledLayer)]
    told = [*_schematic_words(styled, asked=prepared.schematic), *figure.notes]
    told += dict.fromkeys(words for layer in layers for words in layer.notes)
    told += _absent_words(prepared, set(drawn))
    data = dict.fromkeys(
        one for layer in styled for one in layer.fetched.attributions if one and one != boundaries
    )
    note = f"资料来源：{'；'.join(_sources(prepared))}；行政区划界线：{boundaries}"
    if data:
        note += f"；{'；'.join(data)}"
    return [*(["".join(told)] if told else []), f"{note}。", closing]


def _absent_words(prepared: Prepared, drawn: set[str]) -> list[str]:
    """Tell which entries of the legend have no member, of a plan and of what is computed."""
    words = []
    figure = prepared.figure
    for of_plan, end in ((True, "文本未给出可定位的成员，未绘"), (False, "无")):
        labels = [
            one.label
            for layer in figure.layers
            if layer.source.startswith("plan:") == of_plan
            for one in layer.classes
            if one.label
        ]
        absent = figure.absent if of_plan else ()
        gone = [text for text in dict.fromkeys((*absent, *labels)) if text not in drawn]
        if gone:
            words.append(f"图例“{'、'.join(gone)}”{end}。")
    return words


def _sources(prepared: Prepared) -> list[str]:
    if prepared.inputs.get("source"):
        return [str(prepared.inputs["source"])]
    found = [*prepared.figure.sources]
    for extent in prepared.extents:
        key = str(getattr(extent, "plan", ""))
        if key:
            from urbangeo.plans import plan_record

            about = plan_record(key)
            cites = extent.members["cite"].astype(str).replace("", None).dropna()
            told = "、".join(dict.fromkeys(cites))
            found.append(f"{_quoted(about.title)}（{about.publisher}，{about.date}）{told}")
    for layer in prepared.layers:
        if isinstance(layer, StyledLayer):
            found += layer.fetched.sources
    titles = [str(getattr(one, "title", "")) for one in prepared.extents]
    return _merged_sources(found) or [one for one in titles if one] or ["本图所列图层"]


def _schematic_words(layers: Sequence[StyledLayer], *, asked: bool) -> list[str]:
    """Say what is schematic: what was made from words, what rests on the skeleton network."""
    made = [layer for layer in layers if layer.schematic]
    net = [one for one in made if one.record.source.startswith(("network", "circle"))]
    words = []
    if asked or len(net) < len(made):
        words.append("示意：位置与走向据规划文字推定，不代表实际选址和线形。")
    if net:
        words.append("示意：路网为骨架路网，路段取节点间直线连接，不反映实际线形。")
    return words


def _quoted(title: str) -> str:
    return title if "《" in title else f"《{title}》"


def _merged_sources(found: Sequence[str]) -> list[str]:
    """Name each source once, its chapters together."""
    chapters: dict[str, dict[str, None]] = {}
    for text in found:
        head, closed, rest = text.partition("）")
        cites = chapters.setdefault(head + closed, {})
        cites.update(dict.fromkeys(one for one in rest.split("、") if one))
    return [head + "、".join(cites) for head, cites in chapters.items()]


def _attributions(frames: Sequence[gpd.GeoDataFrame | None]) -> str:
    found = []
    for frame in frames:
        words = (
            frame.attrs.get("provenance", {}).get("attribution", "") if frame is not None else ""
        )
        if words and words not in found:
            found.append(str(words))
    return "、".join(found) or "使用者提供"


def _spaced(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")


def _projection_words(sheet: Sheet) -> str:
    operation = sheet.crs.coordinate_operation
    if operation is None or "Lambert Azimuthal Equal Area" not in operation.method_name:
        return f"投影：{sheet.crs.name}"
    values = {parameter.name: parameter.value for parameter in operation.params}
    lon = float(values["Longitude of natural origin"])
    lat = float(values["Latitude of natural origin"])
    east, north = "E" if lon >= 0 else "W", "N" if lat >= 0 else "S"
    return f"投影：兰勃特方位等积投影（中心 {abs(lon):g}°{east}，{abs(lat):g}°{north}），WGS 84"


def _closing_note(sheet: Sheet, words: Words) -> str:
    paper = "×".join(f"{side * 25.4:.0f}" for side in sheet.figure.get_size_inches())
    told = (
        f"{_projection_words(sheet)}；比例尺 1∶{_spaced(sheet.scale)}（幅面 {paper} mm）。"
        "图上界线不作为权属争议和实地划界的依据。"
    )
    if words.approval:
        told += f"审图号：{words.approval}。"
    else:
        told += "本图未经地图审核，公开使用前须依法送审。"
    if words.date:
        told += f"制图日期：{words.date}。"
    return f"{told}绘制：urbangeo {__version__}。"
