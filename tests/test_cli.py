"""The command line: tables for people, clean CSV or JSON in a pipe, 2 for a user's mistake."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from urbangeo import cli
from urbangeo.catalog import data_folder

Run = Callable[..., tuple[int, str, str]]


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    """Run a command in this process; give exit status, output and errors."""
    monkeypatch.setattr(sys, "argv", ["urbangeo", *words])
    status = 0
    try:
        cli.main()
    except SystemExit as stop:
        status = int(stop.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.fixture
def urbangeo(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return lambda *words: run(capsys, monkeypatch, *words)


def test_layers_in_a_pipe_are_csv(urbangeo: Run) -> None:
    status, out, _ = urbangeo("layers")
    assert status == 0
    table = pd.read_csv(io.StringIO(out))
    assert {"counties", "prefectures", "province", "places", "towns"} <= set(table["name"])
    assert {"source", "licence", "vintage", "datum"} <= set(table.columns)


def test_layers_for_people_and_machines(urbangeo: Run) -> None:
    assert "title_zh" in urbangeo("layers", "--format", "table")[1]
    assert json.loads(urbangeo("layers", "--format", "json")[1])[0]["name"]


def test_place(urbangeo: Run) -> None:
    status, out, _ = urbangeo("place", "黔西县", "--format", "json")
    assert status == 0
    assert json.loads(out)[0]["name"] == "黔西市"
    assert json.loads(out)[0]["adcode"] == "520581"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("place", "贵顶"), "Unknown place '贵顶'"),
        (("place", "温泉"), "温泉（息烽县）"),
        (("circle", "不知道的地方"), "Unknown place"),
        (("circle", "贵阳", "--minutes", "0"), "minutes is 0.0"),
        (("circle", "贵阳", "--minutes", "nan"), "minutes is nan"),
        (("circle", "贵阳", "--minutes", "1500"), "at most 1440"),
        (("circle", "贵阳", "--year", "1900"), "covers 2015 to 2035"),
        (("circle", "贵阳", "--modes", "boat"), "Unknown mode 'boat'"),
        (("circle", "贵阳", "--profile", "fast"), "Unknown speed profile"),
        (("circle", "26.6,106.7"), "swapped"),
        (("circle", "121.5,31.2"), "outside the region"),
        (("circle", "贵阳", "--places", "missing.csv"), "missing.csv"),
        (("circle", "贵阳", "--format", "gpkg"), "needs a file"),
        (("circle", "贵阳", "-o", "x.docx"), "end it in"),
        (("circle", "贵阳", "--inside", "--format", "csv"), "shape the table for people"),
        (("circle", "贵阳", "-o", "x.csv", "--format", "json"), "do not agree"),
        (("atlas", "-o", "out", "--only", "no-such-figure"), "Unknown figure"),
        (("plan", "qianzhong-2032"), "Did you mean qianzhong-2023"),
        (("plan", "qianzhong-2023", "-t", "bridges"), "bridges"),
        (("plan", "qianzhong-2023", "-t", "towns", "--touching", "织锦县"), "织锦县"),
        (("plan", "qianzhong-2023", "--cite", "nothing"), "Unknown row"),
        (("check", "--only", "no-such-rule"), "no-such-rule"),
        (("check", "--texts", "no-such-folder"), "no-such-folder"),
        (("plan", "-t", "towns"), "need a plan"),
    ],
)
def test_a_mistake_is_told_in_plain_words(
    urbangeo: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = urbangeo(*words)
    assert status == 2
    assert out == ""
    assert said in err
    assert "Traceback" not in err
    assert list(tmp_path.rglob("*.*")) == []


def test_misuse_of_options_is_2(urbangeo: Run) -> None:
    assert urbangeo("circle")[0] == 2
    assert urbangeo("circle", "贵阳", "--direction", "both")[0] == 2
    assert urbangeo("nonsense")[0] == 2


def test_circle_in_a_pipe_is_clean_csv(urbangeo: Run) -> None:
    status, out, _ = urbangeo("circle", "贵阳", "--minutes", "60")
    assert status == 0
    table = pd.read_csv(io.StringIO(out), dtype={"adcode": str})
    assert {"name", "status", "minutes", "margin_min", "breakeven", "modes", "legs"} <= set(table)
    assert set(table.loc[table["minutes"] <= 60, "status"]) == {"inside"}


def test_circle_as_json_and_geojson(urbangeo: Run) -> None:
    record = json.loads(urbangeo("circle", "贵阳", "贵安新区", "--format", "json")[1])
    assert [one["name"] for one in record["centre"]] == ["贵阳市", "贵安新区"]
    assert record["network"]["year"] == 2022
    features = json.loads(urbangeo("circle", "106.71,26.57", "--format", "geojson")[1])["features"]
    assert len(features) > 100


def test_circle_for_people(urbangeo: Run) -> None:
    out = urbangeo("circle", "贵阳", "--format", "table", "--inside")[1]
    assert "圈外" not in out.split("到贵阳市")[0]
    assert "通勤圈按时间划定" in out


def test_circle_into_a_file_of_my_own_places(urbangeo: Run, tmp_path: Path) -> None:
    mine = tmp_path / "我的.csv"
    mine.write_text("名称,经度,纬度\n甲,106.63,26.65\n乙,106.70,26.60\n", encoding="gb18030")
    target = tmp_path / "圈.gpkg"
    status, out, _ = urbangeo("circle", "贵阳", "--places", str(mine), "-o", str(target))
    assert status == 0
    assert "所问 2 处中有 2 处在圈内" in out
    assert len(gpd.read_file(target, layer="towns")) == 2


def test_a_machine_without_chinese_locale(tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "urbangeo.cli", "place", "贵定", "--format", "json"],
        capture_output=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout.decode("utf-8"))[0]["name"] == "贵定县"


def test_plans_are_listed_and_their_tables_counted(urbangeo: Run) -> None:
    listed = pd.read_csv(io.StringIO(urbangeo("plan")[1]))
    assert "qianzhong-2023" in set(listed["key"])
    tables = pd.read_csv(io.StringIO(urbangeo("plan", "qianzhong-2023")[1]))
    assert {"towns", "parks", "transport"} <= set(tables["table"])


def test_what_a_plan_says_of_a_county(urbangeo: Run) -> None:
    words = ("plan", "qianzhong-2023", "-t", "towns", "--touching", "织金县", "--format", "json")
    status, out, _ = urbangeo(*words)
    assert status == 0
    names = {row["name"] for row in json.loads(out) if row["list"] == "特色节点城镇"}
    assert names == {"桂果", "牛场", "猫场", "马场", "以那"}


def test_projects_and_counts_of_a_county(urbangeo: Run) -> None:
    words = ("plan", "zunyi-metro-2022", "--touching", "湄潭县")
    status, out, _ = urbangeo(*words, "-t", "projects")
    assert status == 0
    projects = pd.read_csv(io.StringIO(out))
    assert 10 < len(projects) < 132
    counts = pd.read_csv(io.StringIO(urbangeo(*words)[1])).set_index("table")["rows"]
    whole = pd.read_csv(io.StringIO(urbangeo("plan", "zunyi-metro-2022")[1])).set_index("table")
    assert counts["industry"] < whole["rows"]["industry"]


def test_check_for_people_ends_with_the_verdict(urbangeo: Run) -> None:
    out = urbangeo("check", "--format", "table")[1]
    assert "新 0 条" in out.splitlines()[-1]
    assert len(out.splitlines()) < 40


def test_where_a_row_stands(urbangeo: Run) -> None:
    out = urbangeo("plan", "qianzhong-2023", "--cite", "qz23-town-001")[1]
    assert "专栏5" in out
    assert "久安" in out


def test_check_ends_with_0_when_only_known_things_are_found(urbangeo: Run) -> None:
    status, out, _ = urbangeo("check", "--format", "json")
    findings = json.loads(out)
    new = [one for one in findings if one["level"] != "info" and not one["known"]]
    assert new == []
    assert status == 0
    assert any(one["known"] for one in findings)


def test_check_ends_with_1_when_there_is_something_new(urbangeo: Run, tmp_path: Path) -> None:
    folder = tmp_path / "qianzhong-2017"
    shutil.copytree(data_folder() / "plans" / "qianzhong-2017", folder)
    table = pd.read_csv(folder / "contradictions.csv", dtype=str, keep_default_na=False)
    table.iloc[:0].to_csv(folder / "contradictions.csv", index=False)
    first = pd.read_csv(folder / "parks.csv", dtype=str, keep_default_na=False)
    twice = pd.concat([first, first.iloc[:1].assign(id="mine-1")])
    twice.to_csv(folder / "parks.csv", index=False)
    status, out, _ = urbangeo("check", str(folder), "--format", "csv")
    assert status == 1
    assert first["name"].iloc[0] in out


def test_version(urbangeo: Run) -> None:
    assert urbangeo("--version")[1].startswith("urbangeo ")


def test_a_network_is_told_and_kept(urbangeo: Run, tmp_path: Path) -> None:
    kept = tmp_path / "网.parquet"
    status, out, _ = urbangeo("network", "--year", "2020", "-o", str(kept))
    assert status == 0
    assert "贵州骨架路网" in out
    assert "expressway" in out
    status, out, _ = urbangeo("circle", "贵阳", "-m", "20", "--network", str(kept), "--inside")
    assert status == 0
    assert "云岩区" in out


def test_a_path_that_is_no_network(urbangeo: Run, tmp_path: Path) -> None:
    (tmp_path / "roads.txt").write_text("x")
    status, _, said = urbangeo("network", str(tmp_path / "roads.txt"))
    assert status == 2
    assert "is no network that can be opened" in said
    status, _, said = urbangeo("circle", "贵阳", "--network", str(tmp_path / "none.parquet"))
    assert status == 2
    assert "does not exist" in said


def test_promises_of_time(urbangeo: Run) -> None:
    status, out, _ = urbangeo("claims", "zunyi-metro-2022")
    assert status == 0
    table = pd.read_csv(io.StringIO(out))
    assert set(table["plan"]) == {"zunyi-metro-2022"}
    assert set(table["result"]) <= {"kept", "broken", "untestable"}
    one = str(table["promise"].iloc[0])
    status, out, _ = urbangeo("claims", "--only", one, "--format", "table")
    assert status == 0
    assert "原话" in out


def test_a_circle_by_chance_and_as_a_page(urbangeo: Run, tmp_path: Path) -> None:
    status, out, _ = urbangeo("circle", "贵阳", "-m", "40", "--inside", "--runs", "20")
    assert status == 0
    assert "试算在圈内" in out
    assert "100%" in out
    page = tmp_path / "圈.html"
    status, _, _ = urbangeo("circle", "贵阳", "-m", "20", "-o", str(page))
    assert status == 0
    assert "示意" in page.read_text(encoding="utf-8")
    status, _, said = urbangeo("circle", "贵阳", "--runs", "9", "-o", str(page))
    assert status == 2
    assert "--runs shapes the table" in said


def test_before_and_after(urbangeo: Run, tmp_path: Path) -> None:
    status, out, _ = urbangeo("compare", "遵义", "--before", "2022", "--after", "2025")
    assert status == 0
    table = pd.read_csv(io.StringIO(out))
    assert set(table["change"]) <= {"gained", "lost", "stayed", "never"}
    assert (table["saved_min"].dropna() > -1e-9).all()
    status, out, _ = urbangeo("compare", "遵义", "--format", "table")
    assert status == 0
    assert "因为哪个项目" in out
    assert "到遵义市 60 分钟以内：2022 年末" in out
    status, out, _ = urbangeo("compare", "遵义", "-o", str(tmp_path / "前后.csv"))
    assert status == 0
    assert (tmp_path / "前后.csv").is_file()


def test_projects_in_order(urbangeo: Run) -> None:
    status, out, _ = urbangeo("rank", "贵阳", "--format", "table")
    assert status == 0
    assert "进圈（处）" in out
    assert "对这个圈没有作用" in out


def test_roads_whose_closure_hurts_most(urbangeo: Run) -> None:
    status, out, _ = urbangeo("critical", "贵阳", "龙里", "清镇")
    assert status == 0
    table = pd.read_csv(io.StringIO(out))
    assert table["rank"].tolist() == sorted(table["rank"])
    assert table["added_min"].iloc[0] > 0
    status, out, _ = urbangeo("critical", "贵阳", "龙里", "--format", "table", "--top", "3")
    assert status == 0
    assert "多用" in out
