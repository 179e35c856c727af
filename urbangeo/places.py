"""Names to places: full, short and former names, with the county where a name repeats.

How a name is read, in this order; the first rule that finds a place decides:

1. as a current name: the name itself, its short form (威宁, 织金, 茅台), or another form of the
   same name in the gazetteer (卫城镇 for 卫城);
2. as another or former name in the gazetteer (遵义县 for 播州区);
3. as the short form of a former name, or a town's name with a unit that the gazetteer lacks;
4. with the county, prefecture or province written before it (织金县猫场, 毕节市织金县猫场).

Under one rule a seat of government goes before everything else, so that a city's name means its
seat. A name that several places bear under one rule is ambiguous.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from urbangeo.catalog import region
from urbangeo.errors import AmbiguousNameError, InputError, UnknownNameError
from urbangeo.names import normalise, short_name, stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd
    from shapely import Point

    from urbangeo.plans import Extent

__all__ = ["Place", "place", "places"]

_SEATS = ("prefecture_seat", "county_seat")
_BRACKETED = re.compile(r"^(?P<place>[^()]+)\((?P<county>[^()]+)\)$")


@dataclass(frozen=True)
class Place:
    """A named point.

    Attributes
    ----------
    name
        Current name.
    kind
        ``prefecture_seat``, ``county_seat``, ``town``, ``station``, ``airport``, ``site`` or
        ``park``.
    county, adcode
        County unit in which the point lies: current full name and six-digit code.
    lon, lat
        Degrees, WGS 84.
    precision_m
        How far the point may lie from the real one, metres.
    source
        Where the point comes from.
    """

    name: str
    kind: str
    county: str
    adcode: str
    lon: float
    lat: float
    precision_m: float
    source: str

    @property
    def point(self) -> Point:
        """The point, longitude and latitude on WGS 84."""
        from shapely import Point

        return Point(self.lon, self.lat)

    @property
    def label(self) -> str:
        """Name with county, which finds this place again: 温泉（息烽县）."""
        return f"{self.name}（{self.county}）"

    @property
    def id(self) -> str:
        """Identifier of this place's node in a network."""
        return f"P-{self.adcode}-{self.name}"


def place(name: str | Place, county: str | None = None, kind: str | None = None) -> Place:
    """Find one place by its name.

    Parameters
    ----------
    name
        Full, short or former name; with its county where it repeats: 织金县猫场, 织金·猫场 or
        猫场（织金县）. A :class:`Place` is given back as it is.
    county
        Full or short name, or six-digit code, of the county in which to look.
    kind
        Kind of place to look for.

    Raises
    ------
    UnknownNameError
        If nothing bears the name; near names are suggested.
    AmbiguousNameError
        If several places bear it; the error lists names that tell them apart.

    Examples
    --------
    >>> import urbangeo as ug
    >>> ug.place("威宁").county
    '威宁彝族回族苗族自治县'
    """
    if isinstance(name, Place):
        return name
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"Expected the name of a place, found {name!r}. Give a name such as 贵阳.")
    gazetteer = _gazetteer()
    chosen = gazetteer.everything
    if kind is not None:
        kinds = _check_kinds([kind])
        chosen = tuple(found for found in chosen if found.kind in kinds)
    within = None if county is None else gazetteer.county_codes(county)
    found = gazetteer.find(normalise(name), chosen, within)
    if not found:
        where = "" if county is None else f" in {county}"
        labels = [found.name for found in chosen if within is None or found.adcode in within]
        raise UnknownNameError(f"place{where}", name, dict.fromkeys(labels))
    if len(found) > 1:
        raise AmbiguousNameError(name, [candidate.label for candidate in found])
    return found[0]


def places(
    extent: str | Extent | None = None, kinds: str | Sequence[str] | None = None
) -> gpd.GeoDataFrame:
    """List the gazetteer.

    Parameters
    ----------
    extent
        Keep places whose county belongs to this extent.
    kinds
        Keep these kinds, one or several.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326; columns of layer ``places``: ``name``, ``kind``, ``county``, ``adcode``,
        ``lon``, ``lat``, ``precision_m``, ``source``, ``aliases``, geometry.

    Raises
    ------
    UnknownNameError
        If the extent or a kind is not known.
    """
    from urbangeo.layer import load

    frame = load("places", extent=extent)
    if kinds is None:
        return frame
    wanted = _check_kinds([kinds] if isinstance(kinds, str) else kinds)
    return frame[frame["kind"].isin(wanted)].reset_index(drop=True)


def _check_kinds(kinds: Iterable[str]) -> set[str]:
    from urbangeo.schemas import PLACE_KINDS

    asked = set(kinds)
    for kind in sorted(asked - set(PLACE_KINDS)):
        raise UnknownNameError("kind of place", kind, PLACE_KINDS)
    return asked


class _Gazetteer:
    """The places under every name that finds them, in three ranks."""

    def __init__(self, rows: Sequence[tuple[Place, Sequence[str]]]) -> None:
        self.everything = tuple(found for found, _ in rows)
        self._ranks: tuple[dict[str, list[Place]], ...] = tuple(defaultdict(list) for _ in range(3))
        for found, aliases in rows:
            for rank, names in enumerate(_names(found, aliases)):
                for name in names:
                    self._ranks[rank][name].append(found)
        self._units = _units(rows)

    def county_codes(self, name: str) -> frozenset[str]:
        """Give the codes of the counties that a county's or prefecture's name or code covers."""
        asked = normalise(str(name))
        if asked in self._units:
            return self._units[asked]
        raise UnknownNameError("county", str(name), self._units)

    def find(
        self, asked: str, chosen: Sequence[Place], within: frozenset[str] | None
    ) -> list[Place]:
        """Give every place that a normalised name may mean under the first rule that finds one."""
        allowed = set(chosen)
        found = self._plain(asked, allowed, within)
        if found:
            return found
        bracketed = _BRACKETED.match(asked)
        if bracketed and bracketed["county"] in self._units:
            codes = _both(within, self._units[bracketed["county"]])
            return self._plain(bracketed["place"], allowed, codes)
        # Longest unit first: 黔西南州兴义市 is not 黔西's.
        for cut in range(len(asked) - 1, 1, -1):
            unit, rest = asked[:cut], asked[cut:].lstrip("·")
            if unit in self._units and rest:
                found = self.find(rest, chosen, _both(within, self._units[unit]))
                if found:
                    return found
        return []

    def _plain(self, asked: str, allowed: set[Place], within: frozenset[str] | None) -> list[Place]:
        for rank, index in enumerate(self._ranks):
            found = [
                candidate
                for candidate in index.get(asked, ())
                if candidate in allowed and (within is None or candidate.adcode in within)
            ]
            if rank == len(self._ranks) - 1 and not found:
                bare = stem(asked, "town")
                found = [
                    candidate
                    for candidate in self._ranks[0].get(bare, ())
                    if bare != asked
                    and candidate.kind == "town"
                    and candidate in allowed
                    and (within is None or candidate.adcode in within)
                ]
            if found:
                return _most_senior(found, asked, qualified=within is not None)
        return []


def _names(found: Place, aliases: Sequence[str]) -> tuple[set[str], set[str], set[str]]:
    kind = "division" if found.kind in _SEATS else found.kind
    name = normalise(found.name)
    bare = stem(name, kind)
    others = [normalise(alias) for alias in aliases]
    current = {name, bare, short_name(name)}
    if kind == "division" and name.endswith("自治州"):
        # 黔南布依族苗族自治州 is 黔南州 in short, and 黔南.
        current.add(stem(short_name(name)))
    current |= {alias for alias in others if stem(alias, kind) == bare}
    former = set(others) - current
    return current, former, {stem(alias, kind) for alias in former} - current - former


def _units(rows: Sequence[tuple[Place, Sequence[str]]]) -> Mapping[str, frozenset[str]]:
    """Give the county codes under every name of a county, prefecture or province."""
    codes: dict[str, set[str]] = defaultdict(set)
    # Prefectures first: where a county's short name is a prefecture's too, both are covered.
    about = region()
    everything = {found.adcode for found, _ in rows}
    for label in {about.name, stem(about.name), about.adcode}:
        codes[label] |= everything
    for code, name in about.prefectures.items():
        below = {adcode for adcode in everything if adcode[:4] == code[:4]}
        for label in {name, short_name(name), stem(name), code}:
            codes[label] |= below
    for found, aliases in rows:
        for label in {found.county, short_name(found.county), stem(found.county), found.adcode}:
            codes[normalise(label)].add(found.adcode)
        if found.kind == "county_seat":
            for alias in map(normalise, aliases):
                if alias not in codes:
                    codes[alias].add(found.adcode)
    return {label: frozenset(members) for label, members in codes.items()}


def _both(one: frozenset[str] | None, other: frozenset[str]) -> frozenset[str]:
    return other if one is None else one & other


def _most_senior(found: list[Place], asked: str, *, qualified: bool) -> list[Place]:
    for seat in _SEATS:
        seats = [candidate for candidate in found if candidate.kind == seat]
        exact = [candidate for candidate in found if normalise(candidate.name) == asked]
        if seats and not (qualified and exact):
            return seats
    # Inside a county, the name as written in the gazetteer tells 龙场 from 龙场镇.
    exact = [candidate for candidate in found if normalise(candidate.name) == asked]
    return exact if qualified and exact else found


def _gazetteer() -> _Gazetteer:
    from urbangeo.catalog import data_folder, record

    path = data_folder() / record("places").source
    about = path.stat()
    return _built((about.st_mtime_ns, about.st_size))


@lru_cache(maxsize=2)
def _built(stamp: tuple[int, int]) -> _Gazetteer:
    del stamp  # the key only: a changed file is read again
    from urbangeo.layer import load

    frame = load("places")
    numbers = frame[["lon", "lat", "precision_m"]].to_numpy(np.float64)
    rows: list[tuple[Place, Sequence[str]]] = []
    texts = frame[["name", "kind", "county", "adcode", "source", "aliases"]].itertuples(index=False)
    for text, (lon, lat, precision) in zip(texts, numbers.tolist(), strict=True):
        found = Place(
            text.name, text.kind, text.county, text.adcode, lon, lat, precision, text.source
        )
        rows.append((found, [alias.strip() for alias in text.aliases.split(";") if alias.strip()]))
    return _Gazetteer(rows)
