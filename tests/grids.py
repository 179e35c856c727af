"""Small perfect networks whose answers are derived on paper."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import geopandas as gpd
import pandas as pd
from shapely.geometry import Point

from urbangeo.network import Facts, Network, Profile
from urbangeo.network.profiles import AccessRule, BoardingRule

PROFILE = Profile(
    name="paper",
    title="纸面",
    source="chosen so that a kilometre of main road takes one minute",
    sinuosity=MappingProxyType(dict.fromkeys(("expressway", "national", "county", "hsr"), 1.0)),
    road_kmh=MappingProxyType({"expressway": 120.0, "national": 60.0, "county": 30.0}),
    stated_share=0.75,
    access=AccessRule(kmh=12.0, circuity=1.0, max_km=5.0),
    rail=MappingProxyType(
        {
            "hsr": BoardingRule(
                entry_min=10, exit_min=5, transfer_min=4, wait_share=0.5, wait_cap_min=15
            )
        }
    ),
)
"""60 km/h national: 1 min/km. 12 km/h off the network: 5 min/km. Boarding 10, leaving 5."""


def node(key: str, lon: float, lat: float, kind: str = "place", **more: Any) -> dict[str, Any]:
    """Make one row of nodes."""
    return {"id": key, "kind": kind, "name": key, "lon": lon, "lat": lat, **more}


def link(tail: str, head: str, km: float, kind: str = "national", **more: Any) -> dict[str, Any]:
    """Make one row of links with a stated length."""
    row = {"id": f"{tail}-{head}", "from": tail, "to": head, "mode": "road", "class": kind}
    return {**row, "length_m": km * 1000, **more}


def service(key: str, stops: list[str], runs: list[float], **more: Any) -> list[dict[str, Any]]:
    """Make the rows of one service; headway 20, dwell 2, unless given."""
    common = {"service": key, "name": key, "class": "hsr", "dwell_min": 2, "headway_min": 20}
    return [
        {**common, "seq": place + 1, "station": stop, "run_min": run, **more}
        for place, (stop, run) in enumerate(zip(stops, [None, *runs], strict=True))
    ]


def network(
    nodes: list[dict[str, Any]],
    links: list[dict[str, Any]],
    services: list[dict[str, Any]] | None = None,
    **facts: Any,
) -> Network:
    """Make a network of rows with the paper profile."""
    return Network.from_tables(
        pd.DataFrame(nodes),
        pd.DataFrame(links),
        pd.DataFrame(services) if services else None,
        profile=PROFILE,
        facts=Facts(title="纸面网", **facts),
    )


def square_grid(side: int = 5, km: float = 1.0) -> Network:
    """Make a square grid of national roads near (107 E, 27 N); nodes ``r,c``.

    Links state their length, so a step takes exactly ``km`` minutes.
    """
    step = km / 100.0
    nodes = [
        node(f"{r},{c}", 107 + c * step, 27 + r * step) for r in range(side) for c in range(side)
    ]
    links = [link(f"{r},{c}", f"{r},{c + 1}", km) for r in range(side) for c in range(side - 1)]
    links += [link(f"{r},{c}", f"{r + 1},{c}", km) for r in range(side - 1) for c in range(side)]
    return network(nodes, links)


def row_of_towns(*km: float) -> Network:
    """A, B, C ... in a row, so many kilometres and minutes apart."""
    names = "ABCDEFGH"[: len(km) + 1]
    nodes = [node(name, 107 + place * 0.1, 27) for place, name in enumerate(names)]
    return network(nodes, [link(names[i], names[i + 1], one) for i, one in enumerate(km)])


def at(net: Network, names: str, **columns: list[object]) -> gpd.GeoDataFrame:
    nodes = net.nodes.set_index("id").loc[list(names)]
    return gpd.GeoDataFrame({"name": list(names), **columns}, geometry=list(nodes.geometry),
                            crs=4326, index=[f"#{name}" for name in names])  # fmt: skip


def table(**columns: list[object]) -> gpd.GeoDataFrame:
    """Places with columns; ``xy`` holds their longitudes and latitudes."""
    xy = columns.pop("xy")
    return gpd.GeoDataFrame(columns, geometry=[Point(*one) for one in xy], crs=4326)  # type: ignore[misc]


def corner(r: int, c: int) -> tuple[float, float]:
    """Where a node of :func:`square_grid` stands."""
    return 107 + c * 0.01, 27 + r * 0.01


GRID = table(
    name=[f"{r},{c}" for r in range(5) for c in range(5)],
    xy=[corner(r, c) for r in range(5) for c in range(5)],
)
