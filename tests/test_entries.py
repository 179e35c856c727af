"""Where searches begin and end."""

from __future__ import annotations

from grids import link, network, node

from urbangeo.access.entries import vertex_lonlat


def test_halls_and_platforms_stand_at_their_station() -> None:
    from grids import service

    nodes = [node("S", 107.0, 27.0, "station"), node("T", 108.0, 27.5, "station")]
    net = network(nodes, [link("S", "T", 120)], service("G", ["S", "T"], [30]))
    graph = net.graph(("road", "rail"))
    where = vertex_lonlat(net._tables.lonlat, graph)
    assert graph.n_vertices == 2 + 4  # a hall and a platform each
    assert sorted(map(tuple, where.tolist())) == 3 * [(107.0, 27.0)] + 3 * [(108.0, 27.5)]
