"""Rows of the network and of commuting circles for a layer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from urbangeo.crs import WGS84
from urbangeo.errors import InputError
from urbangeo.maps.fetched import Fetched, chosen
from urbangeo.names import short_name

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from urbangeo.maps.records import LayerRecord

__all__ = [
    "circle_of",
    "computed_circle",
    "from_circle",
    "from_network",
    "skeleton",
    "town_verdicts",
]


@lru_cache(maxsize=8)
def skeleton(year: int | None, profile: str) -> Any:
    """Give the bundled network at the end of a year; kept for the process."""
    from urbangeo.network import Network

    return Network.backbone(year, profile or None)


def from_network(layer: LayerRecord, inputs: Mapping[str, Any]) -> Fetched:
    """Give the links of a network."""
    net = inputs.get("network")
    if net is None:
        net = skeleton(layer.year, layer.profile)
    elif layer.year is not None:
        net = net.at(layer.year)
    frame = chosen(net.links, layer)
    return _fetched(frame, net.describe())


@lru_cache(maxsize=32)
def computed_circle(
    centres: tuple[str, ...], minutes: float, year: int | None, direction: str, profile: str
) -> Any:
    """Give a commuting circle on the bundled network; kept for the process."""
    from urbangeo.access.circle import commuting_circle

    net = skeleton(_year_of(year), profile)
    return commuting_circle(list(centres), minutes, net, direction=direction)


def circle_of(layer: LayerRecord, inputs: Mapping[str, Any]) -> Any:
    """Give the circle that was given, or computes it."""
    if inputs.get("circle") is not None:
        return inputs["circle"]
    asked = {
        name: inputs[name]
        for name in ("centre", "minutes", "network")
        if inputs.get(name) is not None
    }
    if asked:
        from urbangeo.access.circle import commuting_circle

        asked.setdefault("network", skeleton(_year_of(layer.year), layer.profile))
        given = {"centre": list(layer.centres), "minutes": layer.minutes, **asked}
        return commuting_circle(**given, direction=layer.direction)
    return computed_circle(layer.centres, layer.minutes, layer.year, layer.direction, layer.profile)


def _year_of(year: int | None) -> int:
    return 2022 if year is None else year


def _circle_at(layer: LayerRecord, year: int | None, net: Any) -> Any:
    """Give a layer's circle at the end of a year, on the network that was given if there is one."""
    if net is None:
        return computed_circle(layer.centres, layer.minutes, year, layer.direction, layer.profile)
    from urbangeo.access.circle import commuting_circle

    net = net if year is None else net.at(year)
    return commuting_circle(list(layer.centres), layer.minutes, net, direction=layer.direction)


def from_circle(layer: LayerRecord, inputs: Mapping[str, Any]) -> Fetched:
    """Give a circle's area, what of an extent it misses, or its towns."""
    years = layer.years or (layer.year,)
    if inputs.get("circle") is not None:
        circles, years = [inputs["circle"]], years[-1:]
    else:
        circles = [_circle_at(layer, year, inputs.get("network")) for year in years]
    if layer.source == "circle:towns":
        frame = _towns(circles, years)
        if layer.within:
            from urbangeo.plans import extent

            frame = frame[frame["adcode"].isin(extent(layer.within).adcodes)]
    else:
        frame = _areas(circles, layer)
    return _fetched(chosen(frame, layer), circles[-1].network)


def _fetched(frame: gpd.GeoDataFrame, about: Mapping[str, Any]) -> Fetched:
    year = about.get("year")
    return Fetched(
        frame,
        len(frame),
        bool(about.get("schematic", True)),
        attributions=tuple(str(one) for one in about.get("attribution", ()) if one),
        year=None if year is None else int(year),
        digest=str(about.get("digest", "")),
    )


VERDICTS = ("inside", "borderline", "outside", "unreachable", "unsnapped")
"""What may be said of a town; borderline is nearer to the limit than the network's error."""


def town_verdicts(towns: gpd.GeoDataFrame) -> pd.Series:
    """Give each town's status, or ``borderline``.

    Raises
    ------
    InputError
        If a status is not known.
    """
    status: pd.Series = towns["status"].astype(str)
    if "borderline" in towns:
        status = status.where(~towns["borderline"].fillna(False).astype(bool), "borderline")
    unknown = sorted(set(status) - set(VERDICTS))
    if unknown:
        raise InputError(
            f"Towns of the circle have the status {', '.join(map(repr, unknown))}; "
            f"known: {', '.join(VERDICTS)}."
        )
    return status


def _areas(circles: list[Any], layer: LayerRecord) -> gpd.GeoDataFrame:
    """Give the circles' areas, or the part of an extent that lies beyond each."""
    import geopandas as gpd
    import shapely

    shapes = [one.polygon for one in circles]
    if layer.source == "circle:missing":
        from urbangeo.plans import extent

        whole = extent(layer.within).outline
        shapes = [shapely.difference(whole, shape, grid_size=1e-7) for shape in shapes]
    return gpd.GeoDataFrame(
        {
            "name": ["、".join(layer.centres)] * len(circles),
            "minutes": [layer.minutes] * len(circles),
            "year": [str(one.network.get("year", "")) for one in circles],
        },
        geometry=shapes,
        crs=WGS84,
    )


def _towns(circles: list[Any], years: Sequence[int | None]) -> gpd.GeoDataFrame:
    """Give the last circle's towns with ``since``, the first year in which each is inside.

    ``verdict`` is the status, or ``borderline``; ``rounded`` the minutes as text.
    """
    frame: gpd.GeoDataFrame = circles[-1].towns.assign(since="")
    frame["short"] = frame["name"].map(short_name)
    for year, circle in reversed(list(zip(years, circles, strict=True))):
        inside = circle.towns["status"] == "inside"
        frame["since"] = frame["since"].where(~inside, str(year or "inside"))
    frame["since"] = frame["since"].where(frame["since"] != "", "outside")
    rounded = ["" if math.isnan(one) else f"{one:.0f}" for one in frame["minutes"]]
    return frame.assign(verdict=town_verdicts(frame), rounded=rounded).to_crs(WGS84)
