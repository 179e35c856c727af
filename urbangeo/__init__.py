"""Spatial plans as computable layers, networks, commuting circles and printed figures.

>>> import urbangeo as ug
>>> ug.place("贵定").county
'贵定县'

The public names are fetched when they are first used, so that ``import urbangeo`` itself is
nearly free and draws in no library that a program does not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from urbangeo._version import __version__

if TYPE_CHECKING:
    from urbangeo.access import CommutingCircle, commuting_circle, travel_times
    from urbangeo.access.centrality import betweenness, closeness
    from urbangeo.access.centres import commuting_zones, hinterlands
    from urbangeo.access.compare import compare
    from urbangeo.access.critical import critical_links, rank_projects
    from urbangeo.access.isochrones import isochrones
    from urbangeo.access.matrix import travel_time_matrix
    from urbangeo.access.measures import accessibility
    from urbangeo.access.paths import routes
    from urbangeo.access.snapping import snap
    from urbangeo.access.sure import how_sure
    from urbangeo.access.timeclaims import check_claims
    from urbangeo.catalog import layers
    from urbangeo.checks import check
    from urbangeo.errors import UrbangeoError
    from urbangeo.layer import load
    from urbangeo.maps.atlas import atlas, draw
    from urbangeo.network import Network
    from urbangeo.places import Place, place
    from urbangeo.plancomparison import compare_plans
    from urbangeo.plans import Extent, Plan, extent, plan

__all__ = [
    "CommutingCircle",
    "Extent",
    "Network",
    "Place",
    "Plan",
    "UrbangeoError",
    "__version__",
    "accessibility",
    "atlas",
    "betweenness",
    "check",
    "check_claims",
    "closeness",
    "commuting_circle",
    "commuting_zones",
    "compare",
    "compare_plans",
    "critical_links",
    "draw",
    "extent",
    "hinterlands",
    "how_sure",
    "isochrones",
    "layers",
    "load",
    "place",
    "plan",
    "rank_projects",
    "routes",
    "snap",
    "travel_time_matrix",
    "travel_times",
]

# Where each public name lives. None may be called like a module of this package: importing that
# module would put it in the name's place. (So all places are `urbangeo.places.places()`.)
_HOMES = {
    "CommutingCircle": "urbangeo.access",
    "Extent": "urbangeo.plans",
    "Network": "urbangeo.network",
    "Place": "urbangeo.places",
    "Plan": "urbangeo.plans",
    "UrbangeoError": "urbangeo.errors",
    "accessibility": "urbangeo.access.measures",
    "atlas": "urbangeo.maps.atlas",
    "betweenness": "urbangeo.access.centrality",
    "check": "urbangeo.checks",
    "check_claims": "urbangeo.access.timeclaims",
    "closeness": "urbangeo.access.centrality",
    "commuting_circle": "urbangeo.access",
    "commuting_zones": "urbangeo.access.centres",
    "compare": "urbangeo.access.compare",
    "compare_plans": "urbangeo.plancomparison",
    "critical_links": "urbangeo.access.critical",
    "draw": "urbangeo.maps.atlas",
    "extent": "urbangeo.plans",
    "hinterlands": "urbangeo.access.centres",
    "how_sure": "urbangeo.access.sure",
    "isochrones": "urbangeo.access.isochrones",
    "layers": "urbangeo.catalog",
    "load": "urbangeo.layer",
    "place": "urbangeo.places",
    "plan": "urbangeo.plans",
    "rank_projects": "urbangeo.access.critical",
    "routes": "urbangeo.access.paths",
    "snap": "urbangeo.access.snapping",
    "travel_time_matrix": "urbangeo.access.matrix",
    "travel_times": "urbangeo.access",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(_unknown(name))
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _unknown(name: str) -> str:
    """Say that there is no such name, and which are near it."""
    text = f"module {__name__!r} has no attribute {name!r}"
    if name.startswith("__"):
        # Asked for by tools that look whether it is there, not by people.
        return text
    from difflib import get_close_matches

    near = get_close_matches(name, __all__, n=3, cutoff=0.5)
    return f"{text}; did you mean {' or '.join(near)}?" if near else f"{text}; see urbangeo.__all__"
