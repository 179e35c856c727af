"""A network in one file comes back whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
from grids import PROFILE, link, network, node, service
from shapely.geometry import LineString

from urbangeo.access import travel_times
from urbangeo.errors import InputError, OutputError
from urbangeo.network import Network
from urbangeo.network.ingest import IngestReport


def small() -> Network:
    nodes = [
        node("A", 107.0, 27.0, name="甲", terrain="hill", adcode="520115"),
        node("B", 107.1, 27.0, "station", transfer_min=7),
        node("C", 107.2, 27.0, "station"),
    ]
    links = [
        link("A", "B", 11, ref="G60", name="沪昆", cite="专栏24", oneway=1, open_year=2015),
        link("B", "C", 12, status="在建", planned_year=2025, speed_kmh=72.5),
    ]
    return network(nodes, links, service("G1", ["B", "C"], [9.5]), first_year=2010, last_year=2030)


def same(one: Network, other: Network) -> None:
    for name in ("nodes", "links"):
        left, right = getattr(one, name), getattr(other, name)
        pd.testing.assert_frame_equal(
            pd.DataFrame(left.drop(columns="geometry")),
            pd.DataFrame(right.drop(columns="geometry")),
        )
        assert left.crs == right.crs
        assert left.geometry.geom_equals_exact(right.geometry, 0).all()
    pd.testing.assert_frame_equal(one.services, other.services)
    assert one.profile == other.profile
    assert one.facts == other.facts
    assert (one.year, one.history) == (other.year, other.history)


def test_everything_comes_back(tmp_path: Path) -> None:
    net = replace(small(), report=IngestReport(source="x", read={"ways": 3}, components=(2, 1)))
    net.write(tmp_path / "n.parquet")
    back = Network.read(tmp_path / "n.parquet")
    same(net, back)
    assert back.digest == net.digest
    assert back.report == net.report
    ids = net.nodes.set_index("id")[["geometry"]]
    assert travel_times(net, ids, ids).equals(travel_times(back, ids, ids))


def test_a_view_is_written_as_it_stands(tmp_path: Path) -> None:
    view = small().at(2020).scaled(0.5)
    view.write(tmp_path / "v.parquet")
    back = Network.read(tmp_path / "v.parquet")
    same(view, back)
    assert back.links["id"].tolist() == ["A-B"]
    assert back.graph(("road",)).cost_ms.tolist() == view.graph(("road",)).cost_ms.tolist()
    # what was closed is not in the file
    assert len(back._tables.links) == 1


def test_further_columns_are_kept(tmp_path: Path) -> None:
    rows = pd.DataFrame([{**link("A", "B", 1), "lanes": 2, "tags": {"bridge": "yes"}}])
    nodes = pd.DataFrame([node("A", 107, 27), node("B", 107.01, 27)])
    net = Network.from_tables(nodes, rows, profile=PROFILE)
    net.write(tmp_path / "n.parquet")
    back = Network.read(tmp_path / "n.parquet").links
    assert back["lanes"].tolist() == [2]
    assert back["tags"].iloc[0] == {"bridge": "yes"}


def test_drawn_lines_are_read_only_when_asked_for(tmp_path: Path) -> None:
    line = LineString([(107, 27), (107.05, 27.05), (107.1, 27)])
    frame = gpd.GeoDataFrame(pd.DataFrame([link("A", "B", 14)]), geometry=[line], crs=4326)
    nodes = pd.DataFrame([node("A", 107, 27), node("B", 107.1, 27)])
    Network.from_tables(nodes, frame, profile=PROFILE).write(tmp_path / "n.parquet")
    back = Network.read(tmp_path / "n.parquet")
    assert back.graph(("road",)).cost_ms.tolist() == [14 * 60_000] * 2
    assert back._tables.lines._made is None
    # the file may be replaced meanwhile: what was opened stays what it was
    (tmp_path / "other.parquet").write_bytes(b"else")
    (tmp_path / "other.parquet").replace(tmp_path / "n.parquet")
    assert back.links.geometry.iloc[0].equals_exact(line, 0)


def test_same_bytes_on_every_run(tmp_path: Path) -> None:
    for suffix in ("parquet", "gpkg"):
        for name in "ab":
            small().write(tmp_path / f"{name}.{suffix}")
        first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
        assert first == second


def test_other_programs_read_the_geometry(tmp_path: Path) -> None:
    small().write(tmp_path / "n.parquet")
    links = gpd.read_parquet(tmp_path / "n.parquet", filters=[("table", "==", "links")])
    assert links.crs == "EPSG:4326"
    assert links.geom_type.tolist() == ["LineString"] * 2
    assert links["id"].tolist() == ["A-B", "B-C"]


def test_a_geopackage_has_its_layers(tmp_path: Path) -> None:
    small().write(tmp_path / "n.gpkg")
    layers = {name for name, _ in pyogrio.list_layers(tmp_path / "n.gpkg")}
    assert layers == {"nodes", "links", "services", "about"}
    links = gpd.read_file(tmp_path / "n.gpkg", layer="links")
    assert links["from"].tolist() == ["A", "B"]
    about = gpd.read_file(tmp_path / "n.gpkg", layer="about").set_index("key")["value"]
    assert about["title"] == '"纸面网"'


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"as \.parquet or \.gpkg, not '\.shp'"):
        small().write(tmp_path / "n.shp")
    with pytest.raises(OutputError):
        small().write(Path("/proc/nowhere/n.parquet"))
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_network(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        Network.read(tmp_path / "n.parquet")
    with pytest.raises(InputError, match="not the path of a local file"):
        Network.read("https://example.org/n.parquet")
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        Network.read(tmp_path / "text.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match="is a Parquet file, but no network"):
        Network.read(tmp_path / "other.parquet")


def rewritten(path: Path, change: dict[str, object]) -> None:
    file = pq.ParquetFile(path)
    groups = [file.read_row_group(one) for one in range(file.num_row_groups)]
    metadata = file.schema_arrow.metadata
    record = {**json.loads(metadata[b"urbangeo"]), **change}
    schema = file.schema_arrow.with_metadata({**metadata, b"urbangeo": json.dumps(record).encode()})
    with pq.ParquetWriter(path, schema) as out:
        for one in groups:
            out.write_table(one.cast(schema))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 99}, "this version reads format 1"),
        ({"profile": {}}, "is damaged: KeyError"),
        ({"rows": {"nodes": 1, "links": 2, "services": 2}}, "is damaged"),
        ({"facts": {"attribution": [], "colour": "red"}}, "is damaged"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = tmp_path / "n.parquet"
    small().write(path)
    rewritten(path, change)
    with pytest.raises(InputError, match=said):
        Network.read(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "n.parquet"
    small().write(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a readable Parquet file"):
        Network.read(path)


def test_a_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "n.parquet"
    small().write(path)
    file = pq.ParquetFile(path)
    groups = [file.read_row_group(one) for one in range(file.num_row_groups)]
    place = groups[1].column_names.index("head")
    wrong = pa.array(np.full(len(groups[1]), 99), groups[1].schema.field(place).type)
    groups[1] = groups[1].set_column(place, groups[1].schema.field(place), wrong)
    with pq.ParquetWriter(path, file.schema_arrow) as out:
        for one in groups:
            out.write_table(one)
    with pytest.raises(InputError, match="leads to a node that it does not hold"):
        Network.read(path)
