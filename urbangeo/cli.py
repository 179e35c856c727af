"""The command line: ``urbangeo circle 贵阳``, and what ``urbangeo --help`` lists.

Tables for people on a terminal, CSV or JSON in a pipe. Exit status 0, or 2 for a user's mistake,
told in one sentence.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from urbangeo._version import __version__
from urbangeo.errors import UrbangeoError

if TYPE_CHECKING:
    import pandas as pd

    from urbangeo.network import Network

app = typer.Typer(
    name="urbangeo",
    help="空间规划可计算：图层、路网、通勤圈、图件。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Format(StrEnum):
    """Ways to write a table."""

    table = "table"
    csv = "csv"
    json = "json"


class CircleFormat(StrEnum):
    """Ways to write a circle."""

    table = "table"
    csv = "csv"
    xlsx = "xlsx"
    json = "json"
    geojson = "geojson"
    gpkg = "gpkg"
    html = "html"


class Direction(StrEnum):
    """Towards the centre, or from it."""

    to = "to"
    from_ = "from"


def main() -> None:
    """Run the command line; the entry point of ``urbangeo``."""
    for stream in (sys.stdout, sys.stderr):
        # On a machine with LANG=C Chinese would end in an encoding error, and arrive as bytes.
        reconfigure: Callable[..., Any] | None = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
    sys.argv[1:] = [os.fsencode(word).decode("utf-8", "replace") for word in sys.argv[1:]]
    try:
        app()
    except UrbangeoError as error:
        sys.stderr.write(f"urbangeo: {error}\n")
        raise SystemExit(2) from None


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"urbangeo {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="显示版本。")
    ] = False,
) -> None:
    """空间规划可计算：图层、路网、通勤圈、图件。"""


@app.command()
def layers(
    output: Annotated[Format | None, typer.Option("--format", help="输出格式。")] = None,
) -> None:
    """列出所有图层及其来源、许可、年份、精度。"""
    from urbangeo.catalog import layers as listed

    frame = listed().reset_index()
    people = ["name", "title_zh", "geometry", "provider", "licence", "vintage", "precision_m"]
    _show(frame, output, [column for column in people if column in frame.columns])


@app.command()
def place(
    name: Annotated[
        str, typer.Argument(help="地名：全称、简称、旧称，如 贵定、黔西县、温泉（息烽县）。")
    ],
    output: Annotated[Format | None, typer.Option("--format", help="输出格式。")] = None,
) -> None:
    """查一个地名：所属县、代码、坐标、精度、来源。"""
    from dataclasses import asdict

    import pandas as pd

    from urbangeo.places import place as find

    _show(pd.DataFrame([asdict(find(name))]), output)


@app.command()
def plan(
    key: Annotated[
        str | None, typer.Argument(help="规划的代号，或其文件夹；不写则列出全部。")
    ] = None,
    table: Annotated[
        str | None,
        typer.Option("--table", "-t", help="一张表：towns、parks、transport、projects ……"),
    ] = None,
    touching: Annotated[str | None, typer.Option(help="只列涉及这个县、市或范围的行。")] = None,
    cite: Annotated[str | None, typer.Option(help="这一行出自哪里。")] = None,
    output: Annotated[Format | None, typer.Option("--format", help="输出格式。")] = None,
) -> None:
    """规划：有哪些表，某县有哪些事项，哪句话说的。"""
    import pandas as pd

    from urbangeo.errors import InputError
    from urbangeo.plans import plan as read
    from urbangeo.plans import plans as listed

    if key is None:
        if table or touching or cite:
            raise InputError("--table, --touching and --cite need a plan: give its key first.")
        _show(listed(), output, ["key", "title", "number", "date"])
        return
    found = read(key)
    if cite is not None:
        typer.echo(str(found.cite(cite)))
        return
    if touching is not None:
        found = found.touching(touching)
    if table == "projects":
        rows = found.projects
        people = [one for one in _PLAN_COLUMNS if one in rows.columns]
        _show(pd.DataFrame(rows), output, people)
    elif table is None:
        names = found.tables_held()
        counted = {"table": names, "rows": [len(found.table(name)) for name in names]}
        _show(pd.DataFrame(counted), output)
    else:
        rows = found.table(table)
        people = [one for one in _PLAN_COLUMNS if one in rows.columns]
        _show(pd.DataFrame(rows), output, people)


_PLAN_COLUMNS = (
    *("id", "list", "name", "title", "structure", "node", "kind", "county", "level"),
    *("lead_industry", "from", "to", "status", "verb", "lead", "supporting", "target", "unit"),
    *("subject", "used", "cite", "line"),
)


@app.command()
def check(
    plans: Annotated[
        list[str] | None, typer.Argument(help="规划代号或文件夹；不写则全部。")
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="只用这些规则；可重复。")] = None,
    texts: Annotated[Path | None, typer.Option(help="规划原文所在文件夹：逐句核对引文。")] = None,
    every: Annotated[bool, typer.Option("--all", help="逐条列出已知的和提示。")] = False,
    output: Annotated[Format | None, typer.Option("--format", help="输出格式。")] = None,
) -> None:
    """核对图层、地名和规划：已知的矛盾注明出处；有新的，退出码为 1。"""
    import pandas as pd

    from urbangeo.checks import as_text, run_check

    found, status = run_check(plans or (), only=only or (), texts=texts)
    chosen = output or (Format.table if sys.stdout.isatty() else Format.csv)
    if chosen is Format.table:
        is_new = (found["level"] != "info") & (found["known"] == "")
        shown = found if every else found[is_new]
        if len(shown):
            _print_table(shown)
        counted = pd.crosstab(found["rule"], found["known"] != "").reset_index()
        _print_table(counted.rename(columns={"rule": "规则", True: "已知", False: "新或提示"}))
        new = int(((found["level"] != "info") & (found["known"] == "")).sum())
        known = int((found["known"] != "").sum())
        more = "" if every else "逐条列出：--all。"
        typer.echo(f"发现 {len(found)} 条：已知 {known} 条，新 {new} 条，其余为提示。{more}")
    else:
        typer.echo(as_text(found, chosen.value), nl=False)
    raise typer.Exit(status)


@app.command()
def circle(
    names: Annotated[list[str], typer.Argument(help="一个或几个中心的地名，或 经度,纬度。")],
    minutes: Annotated[float, typer.Option("--minutes", "-m", help="分钟数，含界。")] = 60.0,
    year: Annotated[int | None, typer.Option(help="路网年份（年末）；骨架缺省为 2022。")] = None,
    network: Annotated[
        Path | None,
        typer.Option("--network", help="自己的路网：表的文件夹、.parquet 或 .osm.pbf。"),
    ] = None,
    direction: Annotated[Direction, typer.Option(help="到中心，或从中心出发。")] = Direction.to,
    modes: Annotated[str, typer.Option(help="road、walk、rail 中的几种，逗号隔开。")] = "road,rail",
    profile: Annotated[
        str | None, typer.Option(help="车速方案：nominal、peak、slow、freeflow。")
    ] = None,
    places: Annotated[
        Path | None, typer.Option(help="要问的地点：CSV、XLSX 或 GIS 文件；缺省为县城和镇。")
    ] = None,
    inside: Annotated[bool, typer.Option("--inside", help="表中只列圈内。")] = False,
    legs: Annotated[bool, typer.Option("--legs", help="表中写出每一段及其分钟。")] = False,
    runs: Annotated[int, typer.Option(help="随机试算次数：车速各路不同时，在圈内的比例。")] = 0,
    seed: Annotated[int, typer.Option(help="随机试算的种子。")] = 0,
    output: Annotated[
        CircleFormat | None, typer.Option("--format", help="输出格式；缺省按文件名或终端。")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="写入的文件。")] = None,
) -> None:
    """通勤圈：哪些县城和镇在几十分钟以内，余量多少，走哪条路。"""
    from urbangeo.access import commuting_circle
    from urbangeo.errors import InputError
    from urbangeo.report import circle_table

    if out is not None and output is not None and out.suffix.lower() != f".{output}":
        raise InputError(f"--format {output} and the file name {out.name} do not agree.")
    table = out is None and (output or CircleFormat.table) is CircleFormat.table
    if (inside or legs) and not table:
        raise InputError(
            "--inside and --legs shape the table for people; files hold every place and every "
            "leg. Leave them out, and filter by the column status."
        )
    if out is None and output in (CircleFormat.gpkg, CircleFormat.xlsx, CircleFormat.html):
        raise InputError(f"--format {output} needs a file: add -o FILE.{output}.")
    found = commuting_circle(
        [_centre(name) for name in names],
        minutes,
        _network(network, year, profile),
        places=places,
        direction=direction.value,
        modes=tuple(mode.strip() for mode in modes.split(",") if mode.strip()),
    )
    if runs and not table:
        raise InputError("--runs shapes the table for people; leave out the file and --format.")
    if out is not None:
        found.to_file(out)
        typer.echo(found.summary())
        typer.echo(f"已写入 {out}")
        return
    people = sys.stdout.isatty() or inside or legs
    chosen = output or (CircleFormat.table if people else CircleFormat.csv)
    if chosen is CircleFormat.table:
        shown = circle_table(found, all_rows=not inside, full_legs=legs)
        if runs:
            share = found.how_sure(runs=runs, seed=seed)["share_inside"].to_numpy()
            told = [f"{share[place]:.0%}" for place in shown.index]
            shown.insert(list(shown.columns).index("方式"), "试算在圈内", told)
        _print_table(shown)
        typer.echo(found.summary())
    else:
        typer.echo(_circle_text(found, chosen), nl=False)


def _network(path: Path | None, year: int | None, profile: str | None) -> Network:
    """Open the network that was asked for; the bundled skeleton at the end of 2022 if none."""
    from urbangeo.network import Network

    if path is None:
        return Network.backbone(2022 if year is None else year, profile)
    opened = Network.open(path, profile)
    return opened if year is None else opened.at(year)


@app.command()
def network(
    path: Annotated[
        Path | None, typer.Argument(help="表的文件夹、.parquet 或 .osm.pbf；不写则为随包骨架。")
    ] = None,
    year: Annotated[int | None, typer.Option(help="路网年份（年末）。")] = None,
    profile: Annotated[str | None, typer.Option(help="车速方案。")] = None,
    with_rail: Annotated[
        bool, typer.Option("--with-rail", help="接上随包骨架的铁路和班次。")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="写成 .parquet（再读）或 .gpkg（QGIS）。")
    ] = None,
) -> None:
    """读入一个路网，说明读了什么、舍了什么；可转存，或接上骨架的铁路。"""
    from urbangeo.network import Network

    net = _network(path, year, profile)
    told = [] if net.report is None else [str(net.report)]
    if with_rail:
        net = Network.merge(net, Network.backbone(2022 if year is None else year))
        told.append(str(net.report))
    links = net.links
    totals = links.assign(km=links["length_m"] / 1000).groupby(["mode", "class"], sort=False)["km"]
    typer.echo(f"{net!r}")
    for text in told:
        typer.echo(text)
    _print_table(totals.agg(["size", "sum"]).round(0).astype(int).reset_index())
    if out is not None:
        net.write(out)
        typer.echo(f"已写入 {out}")


def _circle_text(found: Any, chosen: CircleFormat) -> str:
    """Give a circle as text, the same bytes that a file would hold."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"circle.{chosen}"
        found.to_file(path)
        return path.read_text(encoding="utf-8-sig")


def _centre(text: str) -> str | tuple[float, float]:
    """Read ``106.6,26.6`` as a point and anything else as a name."""
    parts = text.replace("，", ",").split(",")
    if len(parts) == 2:
        try:
            return float(parts[0]), float(parts[1])
        except ValueError:
            pass
    return text


@app.command()
def compare(
    names: Annotated[list[str], typer.Argument(help="一个或几个中心的地名，或 经度,纬度。")],
    before: Annotated[int, typer.Option(help="之前的年份（年末）。")] = 2022,
    after: Annotated[int, typer.Option(help="之后的年份（年末）。")] = 2025,
    minutes: Annotated[float, typer.Option("--minutes", "-m", help="分钟数，含界。")] = 60.0,
    network: Annotated[
        Path | None,
        typer.Option("--network", help="自己的路网：表的文件夹、.parquet 或 .osm.pbf。"),
    ] = None,
    profile: Annotated[str | None, typer.Option(help="车速方案。")] = None,
    output: Annotated[Format | None, typer.Option("--format", help="输出格式。")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="写入的文件。")] = None,
) -> None:
    """前后比较：哪些地方进圈、出圈、快了几分钟，因为哪个规划项目。"""
    from urbangeo.access.compare import compare as compared

    found = compared(
        _network(network, before, profile),
        _network(network, after, profile),
        [_centre(name) for name in names],
        minutes,
    )
    if out is not None:
        found.to_file(out)
        typer.echo(f"{found.summary()}\n已写入 {out}")
        return
    chosen = output or (Format.table if sys.stdout.isatty() else Format.csv)
    if chosen is Format.table:
        columns = {
            "name": "名称",
            "title": "因为哪个项目",
            "saved_min": "快了（分）",
            "effect_min": "没有它会慢（分）",
        }
        because = found.because[found.because["confirmed"]]
        _print_table(because[list(columns)].rename(columns=columns).round(1))
        typer.echo(found.summary())
    else:
        _show(found.towns.drop(columns="geometry"), chosen)


@app.command()
def rank(
    names: Annotated[list[str], typer.Argument(help="一个或几个中心的地名，或 经度,纬度。")],
    year: Annotated[int, typer.Option(help="项目都已建成的年份（年末）。")] = 2025,
    before: Annotated[int, typer.Option(help="项目都未建成的年份（年末）。")] = 2022,
    minutes: Annotated[float, typer.Option("--minutes", "-m", help="分钟数，含界。")] = 60.0,
    profile: Annotated[str | None, typer.Option(help="车速方案。")] = None,
    output: Annotated[Format | None, typer.Option("--format", help="输出格式。")] = None,
) -> None:
    """给规划项目排序：单独建成多几处进圈、省多少分钟；没有它少几处。"""
    from urbangeo.access.critical import rank_projects

    found = rank_projects(
        _network(None, year, profile),
        [_centre(name) for name in names],
        minutes,
        before=_network(None, before, profile),
    )
    columns = {
        "rank": "序",
        "title": "项目",
        "gained_towns": "进圈（处）",
        "saved_min": "省（分，各处合计）",
        "lost_towns": "没有它出圈（处）",
        "missed_min": "没有它慢（分，各处合计）",
    }
    if (output or (Format.table if sys.stdout.isatty() else Format.csv)) is Format.table:
        told = found[(found["saved_min"] > 0) | (found["missed_min"] > 0)]
        _print_table(told[list(columns)].rename(columns=columns).round(1))
        typer.echo(f"另有 {len(found) - len(told)} 个项目对这个圈没有作用。")
    else:
        _show(found, output)


@app.command()
def critical(
    names: Annotated[list[str], typer.Argument(help="两个以上地名：在它们之间往来。")],
    year: Annotated[int | None, typer.Option(help="路网年份（年末）；骨架缺省为 2022。")] = None,
    network: Annotated[
        Path | None,
        typer.Option("--network", help="自己的路网：表的文件夹、.parquet 或 .osm.pbf。"),
    ] = None,
    top: Annotated[int, typer.Option(help="表中只列前几条。")] = 20,
    output: Annotated[Format | None, typer.Option("--format", help="输出格式。")] = None,
) -> None:
    """逐条断路：断了哪一条，这些地方之间绕得最远、断得最多。"""
    from urbangeo.access.critical import critical_links

    found = critical_links(_network(network, year, None), [_centre(name) for name in names])
    columns = {
        "rank": "序",
        "ref": "编号",
        "name": "名称",
        "from": "起",
        "to": "止",
        "lost": "不通（对）",
        "added_min": "多用（分，各对合计）",
        "worst_min": "最多（分）",
    }
    if (output or (Format.table if sys.stdout.isatty() else Format.csv)) is Format.table:
        _print_table(found.head(top)[list(columns)].rename(columns=columns).round(1))
    else:
        _show(found.drop(columns="geometry"), output)


@app.command()
def claims(
    plans: Annotated[
        list[str] | None, typer.Argument(help="规划的代号或文件夹；不写则为随包五个规划。")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="只核对这些承诺；可重复。")
    ] = None,
    output: Annotated[Format | None, typer.Option("--format", help="输出格式。")] = None,
) -> None:
    """核对规划里的时间承诺：几小时通勤、半小时到达，按当年路网能否兑现，谁未达到。"""
    from urbangeo.access.timeclaims import check_claims
    from urbangeo.report import claims_table

    found = check_claims(plans or None, only=only or None)
    chosen = output or (Format.table if sys.stdout.isatty() else Format.csv)
    if chosen is Format.table:
        _print_table(claims_table(found))
    else:
        _show(found, chosen)


@app.command()
def atlas(
    out: Annotated[Path, typer.Option("-o", "--out", help="写入的文件夹。")],
    only: Annotated[
        list[str] | None, typer.Option("--only", help="只画这些图，可用 *；可重复。")
    ] = None,
    formats: Annotated[str, typer.Option("--format", help="pdf,svg,png。")] = "pdf,svg,png",
    dpi: Annotated[int, typer.Option(help="PNG 的分辨率。")] = 200,
    pages: Annotated[str, typer.Option("--page", help="A4、A3，逗号隔开。")] = "A4,A3",
    lang: Annotated[str, typer.Option(help="zh、en 或 both（有英文处）。")] = "zh",
    manifest: Annotated[
        Path | None, typer.Option(help="自己的图件清单：TOML 文件或其文件夹。")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="进程数；缺省为核数。")] = None,
    bind: Annotated[bool, typer.Option(help="另制缩览图和带书签的合订 PDF。")] = True,
    gpkg: Annotated[
        bool, typer.Option("--gpkg", help="另写带样式的 GeoPackage、QML 和 QGIS 工程。")
    ] = False,
    dem: Annotated[Path | None, typer.Option(help="高程栅格文件；绘地貌晕渲。")] = None,
    graticule: Annotated[bool | None, typer.Option(help="绘或不绘经纬网；缺省依清单。")] = None,
    date: Annotated[str, typer.Option(help="制图日期，照写于图注。")] = "",
    approval: Annotated[str | None, typer.Option(help="审图号（已取得者）。")] = None,
) -> None:
    """画图册：规划附图和通勤圈图，有错的图列明原因，其余照画。"""
    from urbangeo.maps.atlas import atlas as draw_all

    kinds, papers = (
        tuple(one.strip() for one in text.split(",") if one.strip()) for text in (formats, pages)
    )
    written = draw_all(
        out,
        figures=only or None,
        formats=kinds,
        dpi=dpi,
        pages=papers,
        lang=lang,
        manifest=manifest,
        bind=bind,
        gpkg=gpkg,
        dem=dem,
        graticule=graticule,
        date=date,
        approval=approval,
        jobs=jobs,
        progress=sys.stderr.isatty(),
    )
    for path in written:
        typer.echo(str(path))


def _show(frame: pd.DataFrame, output: Format | None, people: list[str] | None = None) -> None:
    """Print a table in the way that fits where it goes."""
    chosen = output or (Format.table if sys.stdout.isatty() else Format.csv)
    if chosen is Format.csv:
        typer.echo(frame.to_csv(index=False, lineterminator="\n"), nl=False)
    elif chosen is Format.json:
        rows = json.loads(frame.to_json(orient="records", force_ascii=False))
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        _print_table(frame[people] if people else frame)


def _print_table(frame: pd.DataFrame) -> None:
    """Print a table for people."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in frame.columns:
        numeric = frame[column].dtype.kind in "if"
        table.add_column(str(column), justify="right" if numeric else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*("" if one != one else str(one) for one in row))  # noqa: PLR0124 NaN
    Console(soft_wrap=False).print(table)


if __name__ == "__main__":
    main()
