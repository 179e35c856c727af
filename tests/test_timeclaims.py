"""Promises of time in plans: every reading of the words is tested."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from grids import link, network, node, service

from urbangeo.access import travel_times
from urbangeo.access.timeclaims import check_claims
from urbangeo.errors import TableError, UnknownNameError
from urbangeo.network import Network
from urbangeo.plans import plan, plans
from urbangeo.plantables import text_lines
from urbangeo.report import claims_table

TEXTS = Path(__file__).parents[2] / "shared" / "plans"
INVENTED = Path(__file__).parent / "data" / "lanchuan-2030"
HEAD = "id,name,minutes,origins,targets,measures,modes,year,testable,why,cite,line,quote,note\n"
QUOTE = "第一章,8,核心区以云江为核心,"


def lanchuan(folder: Path, *rows: str) -> Path:
    """Copy the invented plan and give it promises."""
    shutil.copytree(INVENTED, folder / "lanchuan-2030")
    text = HEAD + "".join(f"{row},{QUOTE}\n" for row in rows)
    (folder / "lanchuan-2030" / "promises.csv").write_text(text, encoding="utf-8")
    return folder / "lanchuan-2030"


def roads(**more: object) -> Network:
    """Roads of the invented region: to 云江 双桥 15, 白石 35, 湖口 65, 青渡 12 and 37, 松林 55."""
    spots = {
        "云江": (100.25, 30.25), "双桥": (100.4, 30.25), "白石": (100.75, 30.25),
        "湖口": (101.25, 30.25), "青渡": (100.25, 30.4), "北渡": (100.25, 30.6),
        "松林": (100.5, 30.75),
    }  # fmt: skip
    nodes = [node(name, *xy, kind="station") for name, xy in spots.items()]
    links = [link("云江", "双桥", 15), link("双桥", "白石", 20), link("白石", "湖口", 30)]
    links += [link("云江", "青渡", 12), link("青渡", "北渡", 25), link("北渡", "松林", 18)]
    return network(nodes, links, service("G", ["云江", "湖口"], [20]), **more)


def test_seats_and_towns_by_hand(tmp_path: Path) -> None:
    folder = lanchuan(
        tmp_path, "p1,一小时,60,云江县|extent:core,extent:lanchuan,seats|towns,road,2030,1,"
    )
    found = check_claims(folder, roads()).set_index(["measure", "origins"])
    row = found.loc["seats", "云江县"]
    assert (row["result"], row["held"], row["asked"]) == ("broken", 3, 4)
    assert (row["fails"], row["worst_min"]) == ("湖口区 +5.0", 5.0)
    assert found.loc["towns", "云江县"]["result"] == "kept"
    assert found.loc["towns", "云江县"]["asked"] == 3
    # from 白石, a part of the core, 湖口 is 30 minutes away
    assert found.loc["seats", "extent:core"]["result"] == "kept"
    assert found.loc["seats", "extent:core"]["worst_min"] == 0
    assert set(found["digest"]) == {roads().digest}


def test_what_was_read_is_told_in_words(tmp_path: Path) -> None:
    folder = lanchuan(
        tmp_path,
        "p1,一小时,60,extent:core,extent:lanchuan,seats|towns|area,road+rail,2030,1,",
        "p2,半小时,30,云江县;白石县,湖口区,seats,road,2030,1,",
    )
    words = check_claims(folder, roads())["definition"].tolist()
    end = "到核心区各县（区）城中最近的一个，公路或铁路，门到门不超过 60 分钟（2030 年末路网）"
    assert words == [
        f"澜川市的每个县城（城区）{end}",
        f"澜川市（地名库所载的每个镇）{end}",
        f"澜川市的全部土地{end}",
        "湖口区到云江县、白石县中最近的一个，公路，门到门不超过 30 分钟（2030 年末路网）",
    ]


def test_a_train_keeps_what_the_road_breaks(tmp_path: Path) -> None:
    # entering 10, waiting 10, riding 20, leaving 5
    folder = lanchuan(tmp_path, "p1,一小时,60,云江县,湖口区,seats,road|road+rail|rail,2030,1,")
    found = check_claims(folder, roads()).set_index("modes")
    assert found["result"].to_dict() == {"road": "broken", "road+rail": "kept", "rail": "kept"}


def test_a_place_without_a_way_fails_without_end(tmp_path: Path) -> None:
    folder = lanchuan(tmp_path, "p1,一小时,60,云江县,白石县;松林县,seats,road,2030,1,")
    cut = roads().without("北渡-松林")
    (row,) = check_claims(folder, cut).to_dict("records")
    assert (row["fails"], row["worst_min"], row["held"]) == ("松林县（未接入）", np.inf, 1)
    assert "超过 5 千米" in row["why"]


def test_land_is_measured_within_the_polygon(tmp_path: Path) -> None:
    from urbangeo.access import commuting_circle

    folder = lanchuan(
        tmp_path,
        "p1,一小时,60,云江县,extent:songhu,area,road,2030,1,",
        "p2,一天,600,云江县,云江县,area,road,2030,1,",
    )
    row = check_claims(folder, roads()).iloc[0]
    circle = commuting_circle((100.25, 30.25), 60, roads(), places=plan(INVENTED).gazetteer,
                              modes=("road",))  # fmt: skip
    land = plan(INVENTED).extent("songhu").counties.to_crs("EPSG:6933")
    inside = land.intersection(gpd.GeoSeries([circle.polygon], crs=4326).to_crs(6933).iloc[0])
    assert row["share"] == pytest.approx(inside.area.sum() / land.area.sum(), rel=0.01)
    assert row["result"] == "broken"
    assert {one.split()[0] for one in row["fails"].split("；")} == {"松林县", "湖口区"}


def test_what_no_network_can_tell_is_a_row_with_its_reason(tmp_path: Path) -> None:
    folder = lanchuan(tmp_path, "p1,生活圈,15,,,,,,0,没有街区道路")
    (row,) = check_claims(folder, roads()).to_dict("records")
    assert (row["result"], row["why"], row["definition"]) == ("untestable", "没有街区道路", "")
    assert not row["borderline"]


def test_a_year_that_no_network_has_is_untestable(tmp_path: Path) -> None:
    folder = lanchuan(tmp_path, "p1,一小时,60,云江县,白石县,seats,road,2030,1,")
    (row,) = check_claims(folder, {2025: roads()}).to_dict("records")
    assert row["result"] == "untestable"
    assert "2030" in row["why"]
    (row,) = check_claims(folder, {2030: roads()}).to_dict("records")
    assert row["result"] == "kept"
    (row,) = check_claims(folder, lambda year: roads()).to_dict("records")
    assert row["result"] == "kept"
    with pytest.raises(TypeError, match="a Network is expected"):
        check_claims(folder, {2030: "roads"})  # type: ignore[dict-item]


def test_what_an_error_of_the_network_would_turn_is_borderline(tmp_path: Path) -> None:
    folder = lanchuan(
        tmp_path,
        "p1,一小时,64,云江县,湖口区,seats,road,2030,1,",
        "p2,半小时,30,云江县,湖口区,seats,road,2030,1,",
    )
    # 65 minutes, of which 5 % are 3.25
    known = check_claims(folder, roads(error_share=0.05))
    assert known["borderline"].tolist() == [True, False]
    assert not check_claims(folder, roads())["borderline"].any()


def test_rows_that_cannot_be_read_are_told_together(tmp_path: Path) -> None:
    folder = lanchuan(tmp_path, "p1,一小时,60,云江县,,villages,boat,,1,")
    with pytest.raises(TableError) as caught:
        check_claims(folder, roads())
    told = "\n".join(caught.value.findings)
    for column in ("targets", "measures", "modes", "year"):
        assert f"p1, column '{column}'" in told
    with pytest.raises(UnknownNameError, match="promise 'p9'"):
        check_claims(INVENTED, roads(), only="p9")


def test_a_quotation_that_is_not_there_is_refused(tmp_path: Path) -> None:
    folder = lanchuan(tmp_path, "p1,一小时,60,云江县,白石县,seats,road,2030,1,")
    path = folder / "promises.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("以云江", "以白石"), encoding="utf-8")
    with pytest.raises(TableError, match=r"promises\.csv.*does not stand on line 8"):
        check_claims(folder, roads())


def test_the_table_for_people(tmp_path: Path) -> None:
    folder = lanchuan(
        tmp_path,
        "p1,一小时,64,云江县,extent:lanchuan,seats|area,road,2030,1,",
        "p2,生活圈,15,,,,,,0,没有街区道路",
    )
    table = claims_table(check_claims(folder, roads(error_share=0.05)))
    assert table["结果"].tolist() == ["未兑现（临界）", "未兑现", "不能检验"]
    assert table["达到"].iloc[0] == "3/4"
    assert table["达到"].iloc[1].endswith("%")
    assert table["达到"].iloc[2] == ""
    assert table["出处"].iloc[0] == "第一章，第 8 行"


# The bundled plans -------------------------------------------------------------------------------

IN_WORDS = {
    15: ["15分钟"],
    30: ["半小时", "30分钟"],
    60: ["1小时"],
    90: ["1.5小时"],
    180: ["3小时"],
}


def promises() -> pd.DataFrame:
    return pd.concat([pd.DataFrame(plan(key).table("promises")) for key in plans()["key"]])


def test_the_minutes_of_each_promise_are_in_its_words() -> None:
    for row in promises().to_dict("records"):
        words = re.sub(r"[\s“”]", "", row["quote"])
        assert any(one in words for one in IN_WORDS[int(row["minutes"])]), row["id"]


def test_promises_agree_with_the_rows_of_transport() -> None:
    for key in plans()["key"]:
        one = plan(key)
        listed = pd.DataFrame(one.table("promises"))
        rows = pd.DataFrame(one.transport).query("kind == 'promise'")
        for row in rows.to_dict("records"):
            mine = listed[listed["note"].str.contains(f"also {row['id']};") | listed["note"].eq(
                f"also {row['id']}")]  # fmt: skip
            assert mine["minutes"].tolist() == [row["promise_min"]], row["id"]
            assert mine["line"].tolist() == [row["line"]], row["id"]


@pytest.mark.parametrize("key", list(plans()["key"]))
def test_no_promise_of_time_in_a_text_is_left_out(key: str) -> None:
    one = plan(key)
    path = TEXTS / one.record.text
    if not path.is_file():
        pytest.skip(f"the plan's text {one.record.text} is not in ../shared/plans")
    lines = text_lines(path)
    # visa-free hours and machines that serve day and night are no travel times
    other = re.compile(r"144\s*小时过境|24小时智慧")
    said = {
        number
        for number, text in enumerate(lines, start=1)
        if re.search(r"小\s*时|分\s*钟", other.sub("", text))
    }
    assert said == set(one.table("promises")["line"].astype(int))


def test_a_bundled_promise_agrees_with_travel_times() -> None:
    net = Network.backbone(2025)
    found = check_claims("zunyi-metro-2022", net.at, only="zm22-promise-001")
    row = found[(found["targets"] == "绥阳县;湄潭县") & (found["origins"] == "遵义市")
                & (found["modes"] == "road")].iloc[0]  # fmt: skip
    minutes = travel_times(net, ["绥阳县", "湄潭县"], "遵义市", modes=("road",)).to_numpy().ravel()
    assert row["held"] == (minutes <= 30).sum()
    assert row["worst_min"] == pytest.approx(max(0.0, minutes.max() - 30))
    assert row["network"] == net.facts.title


def test_every_reading_of_every_bundled_promise_can_be_located() -> None:
    from urbangeo.access.timeclaims import _Circles, _readings

    for key in plans()["key"]:
        one = plan(key)
        circles = _Circles(one, Network.backbone)
        for _, row in one.table("promises").iterrows():
            if row["testable"] != "1":
                assert row["why"], row["id"]
                continue
            for reading in _readings(one, row):
                assert len(circles.places(reading.origins))
                assert len(circles.asked(reading.targets))
