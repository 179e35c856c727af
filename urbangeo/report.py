"""Results for people and machines: the sentence, the table, the files."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.access.circle import MODE_NAMES, STATUS_NAMES
from urbangeo.files import write_by_suffix
from urbangeo.vector import storable, write_gpkg

if TYPE_CHECKING:
    from urbangeo.access.circle import CommutingCircle

__all__ = [
    "by_time",
    "circle_record",
    "circle_table",
    "claims_table",
    "people_table",
    "summarise",
    "write_circle",
    "write_workbook",
]

_FIXED_DATE = datetime(2000, 1, 1, tzinfo=UTC)
_SLOWER = 1.1  # the slow-down that the summary speaks of
_TIGHT_MIN = 5.0  # a smaller margin is called tight


def summarise(circle: CommutingCircle) -> str:
    """Tell a circle in a few sentences of Chinese that can be quoted."""
    towns, net = circle.towns, circle.network
    inside = towns[towns["status"] == "inside"].sort_values("minutes")
    centre = "、".join(circle.centres["name"].astype(str))
    heading = f"到{centre}" if circle.direction == "to" else f"从{centre}出发"
    year = f"{net['year']} 年末" if net["year"] is not None else "全部年份"
    modes = "、".join(MODE_NAMES[mode] for mode in circle.modes)
    kind = "示意骨架" if net["schematic"] else "路网"
    text = [
        (
            f"{heading} {circle.minutes:g} 分钟以内（门到门，{modes}，{year}{kind}，"
            f"{net['profile_title']}车速）：所问 {len(towns)} 处中有 {len(inside)} 处在圈内"
            f"{_by_kind(inside)}。"
        )
    ]
    if len(inside):
        last = inside.iloc[-1]
        text.append(f"圈内最远的是{last['name']}，{last['minutes']:.1f} 分钟。")
        tight = inside[inside["margin_min"] < _TIGHT_MIN]
        if len(tight):
            text.append(f"余量不足 {_TIGHT_MIN:g} 分钟的有{_names(tight)}。")
        falls = inside[inside["breakeven"] < _SLOWER]
        told = f"{_names(falls)}掉出圈外" if len(falls) else "圈内各处都不掉出"
        text.append(f"道路用时增加 {round((_SLOWER - 1) * 100)}%，{told}。")
    if len(circle.centres) > 1:
        text.append(_shares_of_centres(circle))
    for status in ("unreachable", "unsnapped"):
        lost = towns[towns["status"] == status]
        if len(lost):
            text.append(f"{STATUS_NAMES[status]}的有{_names(lost)}。")
    text.append("通勤圈按时间划定，是通勤联系的替代指标，不是实测通勤量。")
    if net["schematic"]:
        text.append("路网为手工骨架，结果仅为示意。")
    return "".join(text)


def _shares_of_centres(circle: CommutingCircle) -> str:
    """Tell which centre how many places belong to, how many to several, and how many to none."""
    inside = circle.towns[circle.towns["status"] == "inside"]
    counts = inside["centre"].value_counts()
    names = list(dict.fromkeys(circle.centres["name"].astype(str)))
    parts = "、".join(f"{name} {int(counts.get(name, 0))} 处" for name in names)
    shared, gaps = circle.overlaps, circle.gaps
    told = f"按最近的中心分：{parts}；"
    told += f"同时在几个中心圈内的 {len(shared)} 处"
    told += f"（{_names(shared)}）；" if len(shared) else "；"
    return f"{told}哪个中心都到不了的 {len(gaps)} 处。"


def _by_kind(towns: gpd.GeoDataFrame) -> str:
    if "kind" not in towns.columns:
        return ""
    seats, small = (int((towns["kind"] == one).sum()) for one in ("county_seat", "town"))
    parts = [f"县城（城区）{seats} 个"] * bool(seats) + [f"镇 {small} 个"] * bool(small)
    return f"，其中{'、'.join(parts)}" if parts else ""


def _names(towns: gpd.GeoDataFrame, most: int = 8) -> str:
    names = [str(one) for one in towns["name"]]
    more = f"等 {len(names)} 处" if len(names) > most else ""
    return "、".join(names[:most]) + more


def circle_table(
    circle: CommutingCircle, *, all_rows: bool = True, full_legs: bool = False
) -> pd.DataFrame:
    """Give the towns as a table for people: Chinese headings, nearest first.

    Parameters
    ----------
    circle
        The circle.
    all_rows
        Also those that are not inside.
    full_legs
        Tell every leg with its ends and minutes, not only the roads' and trains' names.
    """
    order = by_time(circle)
    if not all_rows:
        inside = (circle.towns["status"] == "inside").to_numpy()
        order = order[inside[order]]
    return people_table(circle, full_legs=full_legs).iloc[order]


def by_time(circle: CommutingCircle) -> NDArray[np.int64]:
    """Give the rows of the towns, nearest first; those without a time last."""
    keys = circle.towns[["minutes", "name"]].reset_index(drop=True)
    nearest = keys.sort_values(["minutes", "name"], na_position="last", kind="stable")
    return np.asarray(nearest.index, dtype=np.int64)


def people_table(circle: CommutingCircle, *, full_legs: bool = False) -> pd.DataFrame:
    """Give :func:`circle_table` in the order of the towns."""
    from urbangeo.access.legs import brief_legs

    towns = circle.towns
    way = towns["legs"]
    if not full_legs:
        brief = [brief_legs(route.legs) if route else "" for route in circle.routes]
        way = pd.Series(brief, towns.index, dtype=object)
    table = pd.DataFrame(
        {
            "名称": towns["name"],
            "县（市、区）": towns["county"],
            "结论": towns["status"].map(STATUS_NAMES),
            "分钟": towns["minutes"].round(1),
            "余量": towns["margin_min"].round(1),
            "可慢倍数": towns["breakeven"].map(_factor),
            "方式": towns["modes"].map(
                lambda one: "+".join(MODE_NAMES[mode] for mode in one.split("+") if mode)
            ),
            "路径": way.where(way != "", towns["reason"]),
        }
    )
    if len(circle.centres) > 1:
        table.insert(2, "中心", towns["centre"])
    return table


RESULT_NAMES = {"kept": "兑现", "broken": "未兑现", "untestable": "不能检验"}


def claims_table(found: pd.DataFrame) -> pd.DataFrame:
    """Give what :func:`urbangeo.access.timeclaims.check_claims` found as a table for people."""
    from urbangeo.plans import plan_record, plans

    known = set(plans()["key"])
    titles = [plan_record(one).title if one in known else one for one in found["plan"]]
    result = found["result"].map(RESULT_NAMES)
    held = [
        f"{share:.0%}" if measure == "area" else f"{held:.0f}/{asked:.0f}"
        for measure, held, asked, share in zip(
            found["measure"], found["held"], found["asked"], found["share"], strict=True
        )
    ]
    return pd.DataFrame(
        {
            "规划": titles,
            "原话": found["quote"],
            "出处": [f"{cite}，第 {line} 行" for cite, line in zip(found["cite"], found["line"],
                                                            strict=True)],
            "口径": found["definition"],
            "结果": result.where(~found["borderline"], result + "（临界）"),
            "达到": pd.Series(held, found.index).where(found["asked"].notna(), ""),
            "未达到（分钟）": found["fails"],
            "说明": found["why"],
        }
    )  # fmt: skip


def _factor(breakeven: float) -> str:
    """Tell a break-even factor; rail alone does not mind the roads."""
    if np.isnan(breakeven):
        return ""
    return "不限" if np.isinf(breakeven) else f"{breakeven:.2f}"


def circle_record(circle: CommutingCircle) -> dict[str, Any]:
    """Give a circle as plain values for JSON: centre, minutes, network, towns, counties.

    ``breakeven`` is null both outside and where a place comes by rail alone; ``modes`` tells.
    """
    towns = []
    for row, route in zip(_flat(circle).to_dict("records"), circle.routes, strict=True):
        row["legs"] = [leg.as_dict() for leg in route.legs] if route else []
        towns.append({key: _plain(value) for key, value in row.items()})
    counties = [
        {key: _plain(value) for key, value in row.items()}
        for row in circle.counties.to_dict("records")
    ]
    centres = [
        {key: _plain(row[key]) for key in ("name", "kind", "county", "adcode", "lon", "lat")}
        for row in circle.centres.to_dict("records")
    ]
    return {
        "centre": centres,
        "minutes": circle.minutes,
        "direction": circle.direction,
        "modes": list(circle.modes),
        "summary": circle.summary(),
        "network": dict(circle.network),
        "towns": towns,
        "counties": counties,
    }


def _flat(circle: CommutingCircle) -> pd.DataFrame:
    """The towns without geometry, numbers rounded to what they can mean.

    An index of the caller's own becomes a column; that of a plain list says nothing.
    """
    flat = pd.DataFrame(circle.towns.drop(columns=circle.towns.geometry.name))
    if not isinstance(flat.index, pd.RangeIndex):
        name = "index" if flat.index.name is None else str(flat.index.name)
        flat.insert(0, name, flat.index)
    return flat.round({"minutes": 3, "margin_min": 3, "breakeven": 3, "lon": 6, "lat": 6})


def _plain(value: Any) -> Any:
    """Make a value that JSON knows; what is not finite becomes null."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if value is None or isinstance(value, str | bool | int | float | list):
        return value
    return None if pd.isna(value) else str(value)


def write_circle(circle: CommutingCircle, path: str | os.PathLike[str]) -> None:
    """Write a circle to a file of the kind that its suffix names.

    ``.csv`` holds the towns; ``.xlsx`` the towns, the counties and what was asked; ``.json``
    everything but geometry; ``.geojson`` the towns as points; ``.gpkg`` the layers ``towns``,
    ``circle``, ``bands``, ``centres`` and ``about``; ``.html`` the interactive page.

    Raises
    ------
    InputError
        If the suffix is none of these.
    OutputError
        If the file cannot be written; nothing half-written is left.
    """
    write_by_suffix(circle, path, _WRITERS)


def _write_csv(circle: CommutingCircle, path: Path) -> None:
    _flat(circle).to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")


def _write_json(circle: CommutingCircle, path: Path) -> None:
    text = json.dumps(circle_record(circle), ensure_ascii=False, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _write_geojson(circle: CommutingCircle, path: Path) -> None:
    towns = storable(circle.towns).replace([np.inf, -np.inf], np.nan)
    about = "\n".join(f"{key}: {value}" for key, value in _about(circle))
    towns.to_file(
        path, driver="GeoJSON", engine="pyogrio", index=False, layer_options={"DESCRIPTION": about}
    )


def _write_gpkg(circle: CommutingCircle, path: Path) -> None:
    shape = {"minutes": [circle.minutes], "geometry": [circle.polygon]}
    about = pd.DataFrame(_about(circle), columns=["key", "value"])
    layers = {
        "towns": circle.towns,
        "circle": gpd.GeoDataFrame(shape, crs=circle.towns.crs),
        "bands": circle.bands,
        "centres": circle.centres,
    }
    write_gpkg(path, layers, {"about": about})


def _write_html(circle: CommutingCircle, path: Path) -> None:
    circle.to_html(path)


def _write_xlsx(circle: CommutingCircle, path: Path) -> None:
    sheets = {
        "城镇": circle_table(circle, full_legs=True),
        "县（市、区）": _county_sheet(circle),
        "说明": pd.DataFrame(_about(circle), columns=["项", "值"]),
    }
    write_workbook(path, sheets)


def write_workbook(path: Path, sheets: Mapping[str, pd.DataFrame]) -> None:
    """Write tables as the sheets of a workbook, the same bytes for the same tables."""
    rough = path.with_name("rough.xlsx")
    with pd.ExcelWriter(rough, engine="openpyxl") as book:
        for title, table in sheets.items():
            table.to_excel(book, sheet_name=title, index=False)
        book.book.properties.created = book.book.properties.modified = _FIXED_DATE
        for sheet in book.book.worksheets:
            sheet.freeze_panes = "A2"
            for column in sheet.columns:
                longest = max(_width(str(cell.value or "")) for cell in column)
                sheet.column_dimensions[column[0].column_letter].width = min(60, longest + 2)
    # A workbook is a zip whose entries carry the hour of writing; give them a fixed one.
    with zipfile.ZipFile(rough) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _fixed_dates(content)
            new.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content)


_COUNTY_HEADINGS = {
    "adcode": "代码",
    "county": "县（市、区）",
    "towns": "镇",
    "inside": "圈内镇",
    "share": "镇占比",
    "seat": "县城",
    "seat_status": "县城结论",
    "seat_minutes": "县城分钟",
    "area_km2": "面积（平方公里）",
    "area_inside_km2": "圈内面积（平方公里）",
    "area_share": "面积占比",
    "population": "人口",
    "population_inside": "圈内人口",
    "population_share": "人口占比",
}


def _county_sheet(circle: CommutingCircle) -> pd.DataFrame:
    """The counties for people; without the columns of population where none is known."""
    counties = circle.counties
    table = counties[list(_COUNTY_HEADINGS)].rename(columns=_COUNTY_HEADINGS)
    table["县城结论"] = table["县城结论"].map(lambda one: STATUS_NAMES.get(one, ""))
    table = table.round({"县城分钟": 1, "镇占比": 3, "面积占比": 3, "人口占比": 3})
    table = table.round({"面积（平方公里）": 0, "圈内面积（平方公里）": 0, "圈内人口": 0})
    if counties["population"].isna().all():
        return table.drop(columns=["人口", "圈内人口", "人口占比"])
    ways = {"places": "按地点", "area": "按面积折算", "": ""}
    return table.assign(人口口径=counties["population_from"].map(ways))


def _fixed_dates(core: bytes) -> bytes:
    """Replace the dates in a workbook's properties, which openpyxl sets when it saves."""
    import re

    fixed = _FIXED_DATE.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    return re.sub(rb"(<dcterms:\w+[^>]*>)[^<]*(</dcterms)", rb"\g<1>" + fixed + rb"\g<2>", core)


def _width(text: str) -> int:
    """Width of a text in columns; Chinese takes two."""
    return sum(2 if ord(one) > 0x2E80 else 1 for one in text)


def _about(circle: CommutingCircle) -> list[tuple[str, str]]:
    """What was asked, of which network: the rows that every file carries."""
    rows = [
        ("summary", circle.summary()),
        ("centre", "、".join(circle.centres["name"].astype(str))),
        ("minutes", f"{circle.minutes:g}"),
        ("direction", circle.direction),
        ("modes", "+".join(circle.modes)),
    ]
    for key, value in circle.network.items():
        text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
        rows.append((f"network.{key}", text))
    return rows


_WRITERS = {
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
    ".json": _write_json,
    ".geojson": _write_geojson,
    ".gpkg": _write_gpkg,
    ".html": _write_html,
}
