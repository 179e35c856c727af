"""The note below a map: what is schematic, what is missing, whose data, which projection."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from urbangeo._version import __version__
from urbangeo.maps.fetched import Remark
from urbangeo.maps.layers import StyledLayer
from urbangeo.maps.plansources import plan_source

if TYPE_CHECKING:
    import geopandas as gpd

    from urbangeo.maps.circlelayer import CircleLayer
    from urbangeo.maps.prepare import Prepared
    from urbangeo.maps.sheet import Sheet

__all__ = ["Words", "note_of", "remarks_of", "sources_of"]


@dataclass(frozen=True)
class Words:
    """What only the caller can say of a figure: 审图号, date of drawing, file of heights."""

    approval: str | None = None
    date: str = ""
    dem: str | os.PathLike[str] | None = None

    def shading(self, lang: str) -> list[str]:
        """Tell what hillshade is from, if there is any."""
        if self.dem is None:
            return []
        from urbangeo.maps.relief import relief_note

        return [relief_note(self.dem, lang)]


def note_of(
    prepared: Prepared, sheet: Sheet, drawn: Iterable[str], words: Words, lang: str = "zh"
) -> list[str]:
    """Give the paragraphs of a figure's note, in Chinese, or in English if ``lang`` is ``en``.

    The plans' titles and the words that data require stay as they are.

    Parameters
    ----------
    drawn
        Chinese texts of the entries that the legend has.
    """
    paragraphs = [
        remarks_of(prepared, drawn, words, lang),
        sources_of(prepared, lang),
        _closing_note(sheet, words, lang),
    ]
    return [one for one in paragraphs if one]


def remarks_of(prepared: Prepared, drawn: Iterable[str], words: Words, lang: str = "zh") -> str:
    """Tell what is schematic, what the manifest says, what is missing; the note begins so."""
    figure = prepared.figure
    if prepared.circle is not None:
        told = [_SKELETON.told(lang)] if prepared.circle.schematic else []
        return "".join([*told, _PROXY.told(lang), *words.shading(lang)])
    layers = prepared.layers
    styled = [layer for layer in layers if isinstance(layer, StyledLayer)]
    own = figure.notes_en if lang == "en" and figure.notes_en else figure.notes
    told = [one.told(lang) for one in _schematic_words(styled, asked=prepared.schematic)]
    told += [f"{one} " for one in own] if lang == "en" else own
    told += dict.fromkeys(one.told(lang) for layer in layers for one in layer.notes)
    told += [one.told(lang) for one in _absent_words(prepared, set(drawn))]
    told += words.shading(lang)
    return "".join(told).strip()


def sources_of(prepared: Prepared, lang: str = "zh") -> str:
    """Name the plans and chapters, and whose boundaries and data are drawn."""
    boundaries = _attributions(prepared.frames, lang)
    if prepared.circle is not None:
        return _circle_sources(prepared.circle, boundaries, lang)
    data = dict.fromkeys(
        one
        for layer in prepared.layers
        if isinstance(layer, StyledLayer)
        for one in layer.fetched.attributions
        if one and one != boundaries
    )
    sources = _sources(prepared)
    if lang == "en":
        note = f"Sources: {'; '.join(sources)}; boundaries: {boundaries}"
        return "; ".join([note, *data]) + "."
    note = f"资料来源：{'；'.join(sources)}；行政区划界线：{boundaries}"
    return "；".join([note, *data]) + "。"


def _circle_sources(circle: CircleLayer, boundaries: str, lang: str) -> str:
    about = circle.circle.network
    data = [str(one) for one in about.get("attribution", []) if one]
    digest = str(about.get("digest") or "")[:12]
    if lang == "en":
        source = f"Data: boundaries {boundaries}"
        source += f"; network {', '.join(data)}" if data else ""
        source += f"; digest of the network {digest}" if digest else ""
        return f"{source}."
    source = f"数据：行政区划界线 {boundaries}"
    source += f"；路网 {'、'.join(data)}" if data else ""
    source += f"；路网校验码 {digest}" if digest else ""
    return f"{source}。"


_WORDS = Remark(
    "示意：位置与走向据规划文字推定，不代表实际选址和线形。",
    "Schematic: places and courses follow the plan's words, not surveyed sites or alignments. ",
)
_SKELETON = Remark(
    "示意：路网为骨架路网，路段取节点间直线连接，不反映实际线形。",
    "Schematic: the network is a skeleton of straight lines between its nodes. ",
)
_PROXY = Remark(
    "城镇是否在圈内由门到门行程时间判定，圈界仅为其图示；通勤圈是通勤联系的替代指标，"
    "不等于实际通勤流。",
    "Whether a town is inside is told by its time from door to door, the limit only shows it; the "
    "circle is a proxy for commuting, not a measure of flows.",
)


def _absent_words(prepared: Prepared, drawn: set[str]) -> list[Remark]:
    """Tell which entries of the legend have no member, of a plan and of what is computed."""
    words = []
    figure = prepared.figure
    english = {one.label: one.label_en for layer in figure.layers for one in layer.classes}
    printed = [text.partition(" | ") for text in figure.absent]
    english |= {text: other for text, _, other in printed}
    placed = {
        piece.row.label
        for layer in prepared.layers
        if isinstance(layer, StyledLayer)
        for piece in layer.pieces
    }
    told = {
        "beyond": ("的成员在图幅以外", "members beyond the frame"),
        "plan": (
            "文本未给出可定位的成员，未绘",
            "the text gives no member with a place, not drawn",
        ),
        "computed": ("无", "none"),
    }
    gone: dict[str, dict[str, None]] = {why: {} for why in told}
    gone["plan"] |= dict.fromkeys(text for text, *_ in printed)
    for layer in figure.layers:
        why = "plan" if layer.source.startswith("plan:") else "computed"
        for one in layer.classes:
            if one.label:
                gone["beyond" if one.label in placed else why][one.label] = None
    for why, (end, end_en) in told.items():
        texts = [text for text in gone[why] if text not in drawn]
        if texts:
            others = ", ".join(english.get(one) or one for one in texts)
            words.append(
                Remark(f"图例“{'、'.join(texts)}”{end}。", f"Legend “{others}”: {end_en}. ")
            )
    return words


def _sources(prepared: Prepared) -> list[str]:
    if prepared.inputs.get("source"):
        return [str(prepared.inputs["source"])]
    found = [*prepared.figure.sources]
    for extent in prepared.extents:
        key = str(getattr(extent, "plan", ""))
        if key:
            from urbangeo.plans import plan_record, plans

            own = prepared.figure.plan
            about = plan_record(own) if own else None
            if about is None or about.key != key:
                if key not in set(plans()["key"]):
                    # Of a plan of the user's own, which only the extent's title names here.
                    found.append(str(extent.title))
                    continue
                about = plan_record(key)
            cites = extent.members["cite"].astype(str).replace("", None).dropna()
            told = "、".join(dict.fromkeys(cites))
            found.append(plan_source(about) + told)
    for layer in prepared.layers:
        if isinstance(layer, StyledLayer):
            found += layer.fetched.sources
    titles = [str(getattr(one, "title", "")) for one in prepared.extents]
    return _merged_sources(found) or [one for one in titles if one] or ["本图所列图层"]


def _schematic_words(layers: Sequence[StyledLayer], *, asked: bool) -> list[Remark]:
    """Say what is schematic: what was made from words, what rests on the skeleton network."""
    made = [layer for layer in layers if layer.schematic]
    net = [one for one in made if one.record.source.startswith(("network", "circle"))]
    words = []
    if len(net) < len(made) or (asked and not net):
        words.append(_WORDS)
    if net:
        words.append(_SKELETON)
    return words


def _merged_sources(found: Sequence[str]) -> list[str]:
    """Name each source once, its chapters together."""
    chapters: dict[str, dict[str, None]] = {}
    for text in found:
        head, closed, rest = text.partition("）")
        cites = chapters.setdefault(head + closed, {})
        cites.update(dict.fromkeys(one for one in rest.split("、") if one))
    return [head + "、".join(cites) for head, cites in chapters.items()]


def _attributions(frames: Sequence[gpd.GeoDataFrame | None], lang: str) -> str:
    found = []
    for frame in frames:
        words = (
            frame.attrs.get("provenance", {}).get("attribution", "") if frame is not None else ""
        )
        if words and words not in found:
            found.append(str(words))
    return "、".join(found) or ("given by the user" if lang == "en" else "使用者提供")


def _spaced(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")


def _projection_words(sheet: Sheet) -> Remark:
    operation = sheet.crs.coordinate_operation
    if operation is None or "Lambert Azimuthal Equal Area" not in operation.method_name:
        return Remark(f"投影：{sheet.crs.name}", f"Projection: {sheet.crs.name}")
    values = {parameter.name: parameter.value for parameter in operation.params}
    lon = float(values["Longitude of natural origin"])
    lat = float(values["Latitude of natural origin"])
    east, north = "E" if lon >= 0 else "W", "N" if lat >= 0 else "S"
    centre = f"{abs(lon):g}°{east}", f"{abs(lat):g}°{north}"
    return Remark(
        f"投影：兰勃特方位等积投影（中心 {'，'.join(centre)}），WGS 84",
        f"Projection: Lambert azimuthal equal-area (centre {', '.join(centre)}), WGS 84",
    )


def _closing_note(sheet: Sheet, words: Words, lang: str) -> str:
    paper = "×".join(f"{side * 25.4:.0f}" for side in sheet.figure.get_size_inches())
    told = [
        _projection_words(sheet),
        Remark(
            f"；比例尺 1∶{_spaced(sheet.scale)}（幅面 {paper} mm）。"
            "图上界线不作为权属争议和实地划界的依据。",
            f"; scale 1:{_spaced(sheet.scale)} on {paper} mm. Boundaries are no evidence of rights "
            "or of their course on the ground. ",
        ),
    ]
    if words.approval:
        told.append(
            Remark(f"审图号：{words.approval}。", f"Map approval number {words.approval}. ")
        )
    else:
        told.append(
            Remark(
                "本图未经地图审核，公开使用前须依法送审。",
                "Not a reviewed map: it must be submitted for review before publication. ",
            )
        )
    if words.date:
        told.append(Remark(f"制图日期：{words.date}。", f"Drawn {words.date}. "))
    told.append(Remark(f"绘制：urbangeo {__version__}。", f"Drawn by urbangeo {__version__}."))
    return "".join(one.told(lang) for one in told)
