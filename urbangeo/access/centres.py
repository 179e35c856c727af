"""Which centre a place belongs to, and who could commute there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.access.decay import decay_weight
from urbangeo.access.opportunities import Opportunities, column_amounts, labels_at
from urbangeo.access.points import PlaceLike, as_points
from urbangeo.access.times import check_direction, check_minutes
from urbangeo.network.graph import MS
from urbangeo.network.network import MODES, Network, check_modes, check_network

__all__ = ["commuting_zones", "hinterlands"]

IntArray: TypeAlias = NDArray[np.int64]

_REILLY = 2.0  # the power of distance in the law of retail gravitation (Reilly 1931)

_HINTERLAND = (
    *("main", "main_name", "main_share", "main_min", "second", "second_share", "nearest"),
)


def hinterlands(
    net: Network,
    centres: PlaceLike,
    places: PlaceLike,
    *,
    size: str | None = None,
    decay: str = "power",
    beta: float = _REILLY,
    midpoint: float | None = None,
    cutoff: float | None = None,
    direction: str = "to",
    modes: Iterable[str] = MODES,
) -> gpd.GeoDataFrame:
    """Find for each place its main centre, by the pull of the centres.

    Parameters
    ----------
    net
        The network.
    centres, places
        The centres, and the places that are theirs.
    size
        Column of ``centres`` that holds their mass, such as people or jobs; one each if None.
    decay, beta, midpoint
        As for :func:`urbangeo.accessibility`; Reilly's square of the time unless others are given.
    cutoff
        A centre farther away, minutes, does not pull; inclusive.
    direction
        ``to`` the centres or ``from`` them.
    modes
        Any of ``road``, ``rail`` and ``walk``.

    Returns
    -------
    geopandas.GeoDataFrame
        The places on their own index with ``main`` (label of the main centre in ``centres``, None
        where none pulls), ``main_name``, ``main_share`` (of all pull), ``main_min`` (minutes to
        it), ``second``, ``second_share`` and ``nearest`` (label of the nearest in time).

    Raises
    ------
    InputError
        If there is no centre or place, or a mass is negative or missing.

    Notes
    -----
    The pull is mass x decay of minutes (Reilly 1931 with the square); the share is the probability
    of Huff (1963). A time of less than a minute counts as one where a power is taken. Of equal
    pulls the first of the table is taken.
    """
    chosen = check_modes(modes)
    check_network(net)
    check_direction(direction)
    middle, asked = as_points(centres, "centres"), as_points(places, "places")
    mass = column_amounts(middle, size, "centres")
    limit = np.inf if cutoff is None else round(check_minutes(cutoff, "cutoff") * MS)
    field = Opportunities(net, chosen, direction, asked, middle, limit)
    weigh = decay_weight(decay, beta, midpoint)
    minutes = np.full((len(middle), len(asked)), np.inf)
    for some, found in field.dense(np.arange(len(middle))):
        minutes[some] = found
    pull = mass[:, None] * np.where(np.isfinite(minutes), weigh(minutes), 0.0)
    total = pull.sum(axis=0)
    order = np.argsort(-pull, axis=0, kind="stable")
    columns = np.arange(len(asked))
    labels = middle.index.to_numpy(dtype=object)
    names = middle["name"].astype(str).to_numpy(dtype=object)
    clash = [one for one in _HINTERLAND if one in asked.columns]
    made = asked.rename(columns={one: f"{one}_given" for one in clash})

    def labelled(rows: IntArray, good: NDArray[np.bool_], values: Any) -> pd.Series:
        return labels_at(values, rows, good, asked.index)

    for rank, what in enumerate(("main", "second")):
        if rank >= len(middle):
            nobody = np.zeros(len(asked), dtype=bool)
            made[what], made[f"{what}_share"] = labelled(columns, nobody, labels), 0.0
            continue
        rows = order[rank]
        strength = pull[rows, columns]
        pulls = strength > 0
        made[what] = labelled(rows, pulls, labels)
        share = np.divide(strength, total, out=np.zeros(len(asked)), where=total > 0)
        made[f"{what}_share"] = share
        if what == "main":
            made["main_name"] = labelled(rows, pulls, names)
            made["main_min"] = np.where(pulls, minutes[rows, columns], np.nan)
    near = minutes.argmin(axis=0)
    made["nearest"] = labelled(near, np.isfinite(minutes[near, columns]), labels)
    given = [one for one in made.columns if one not in _HINTERLAND]
    return gpd.GeoDataFrame(made[[*given, *_HINTERLAND]], geometry="geometry")


def commuting_zones(
    net: Network,
    centres: PlaceLike,
    places: PlaceLike,
    minutes: float = 60.0,
    *,
    size: str | None = None,
    population: str | None = None,
    beta: float = _REILLY,
    direction: str = "to",
    modes: Iterable[str] = MODES,
) -> pd.DataFrame:
    """Tell the potential commuting zone of each centre: who could commute there, by time.

    Parameters
    ----------
    net, centres, places, size, beta, direction, modes
        As for :func:`hinterlands`.
    minutes
        A place belongs to the centre that pulls it most among those within so many minutes.
    population
        Column of ``places`` that holds their people; each counts as one if None.

    Returns
    -------
    pandas.DataFrame
        On the index of ``centres``: ``name``, ``places`` (how many belong to it), ``people``,
        ``farthest_min`` (NaN without places) and ``members`` (their labels, nearest first).
        ``.attrs["outside"]`` holds the labels of places that no centre is within reach of.

    Notes
    -----
    Potential, not actual: functional urban areas (OECD and European Commission 2012) ask for 15 %
    of the workers, which times alone cannot tell.
    """
    middle = as_points(centres, "centres")
    found = hinterlands(
        net, middle, places, size=size, beta=beta, cutoff=check_minutes(minutes),
        direction=direction, modes=modes,
    )  # fmt: skip
    persons = column_amounts(found, population, "places")
    main = found["main"].to_numpy(dtype=object)
    rows = []
    for label, name in zip(middle.index, middle["name"].astype(str), strict=True):
        own = np.flatnonzero([one is not None and one == label for one in main])
        own = own[np.argsort(found["main_min"].to_numpy()[own], kind="stable")]
        rows.append(
            {
                "name": name,
                "places": len(own),
                "people": float(persons[own].sum()),
                "farthest_min": float(found["main_min"].iloc[own[-1]]) if len(own) else np.nan,
                "members": found.index[own].tolist(),
            }
        )
    made = pd.DataFrame(rows, index=middle.index)
    made.attrs = {
        "outside": found.index[[one is None for one in main]].tolist(),
        "network": dict(net.describe()),
    }
    return made
