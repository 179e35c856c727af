"""Centrality, against networkx and on networks whose answers are derived on paper."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from grids import at, link, network, node, row_of_towns, service
from hypothesis import given, settings
from hypothesis import strategies as st

from urbangeo.access import centrality
from urbangeo.access.centrality import betweenness, closeness
from urbangeo.errors import InputError
from urbangeo.network import Network


def tangle(seed: int) -> Network:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 10))
    nodes = [node(str(i), 100 + i, 27) for i in range(count)]
    links = []
    for number in range(int(rng.integers(count, 3 * count))):
        tail, head = rng.choice(count, 2, replace=False)
        # whole kilometres, so that equally fast ways are common
        row = link(str(tail), str(head), float(rng.integers(1, 4)) * 1000,
                   oneway=int(rng.random() < 0.3))  # fmt: skip
        links.append({**row, "id": str(number)})
    return network(nodes, links)


def as_networkx(net: Network) -> nx.DiGraph:
    graph = net.graph(("road",))
    made = nx.DiGraph()
    made.add_nodes_from(net.nodes["id"])
    tails = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))
    ids = net.nodes["id"].to_numpy()
    for tail, head, ms in zip(tails, graph.heads, graph.cost_ms, strict=True):
        made.add_edge(ids[tail], ids[head], ms=int(ms), minutes=ms / 60_000)
    return made


@given(st.integers(0, 10_000))
@settings(max_examples=40)
def test_centrality_equals_networkx(seed: int) -> None:
    net = tangle(seed)
    made = as_networkx(net)
    through = betweenness(net, modes=("road",))
    expected = nx.betweenness_centrality(made, weight="ms", normalized=False)
    assert through.to_dict() == pytest.approx(expected)
    # networkx takes the times towards a node
    near = nx.closeness_centrality(made.reverse(), distance="minutes")
    assert closeness(net, modes=("road",)).to_dict() == pytest.approx(near)


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_load_of_links_equals_that_of_edges_in_networkx(seed: int) -> None:
    net = tangle(seed)
    made = as_networkx(net)
    edges = nx.edge_betweenness_centrality(made, weight="ms", normalized=False)
    load = betweenness(net, of="links", modes=("road",))
    assert load.sum() == pytest.approx(sum(edges.values()))
    graph, t = net.graph(("road",)), net._tables
    ids = t.nodes["id"].to_numpy()
    by_link = dict.fromkeys(t.links["id"], 0.0)
    tails = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))
    for tail, head, item in zip(tails, graph.heads, graph.item, strict=True):
        by_link[t.links["id"].iloc[item]] += edges[ids[tail], ids[head]]
    assert load.to_dict() == pytest.approx(by_link)


def test_ways_between_places_load_the_links_they_use() -> None:
    net = row_of_towns(10, 20, 30)
    places = at(net, "ACD", people=[2, 3, 5])
    load = betweenness(net, places, of="links", weight="people")
    # A-C 6, A-D 10, C-D 15, each way
    assert load.to_dict() == pytest.approx({"A-B": 32, "B-C": 32, "C-D": 50})
    through = betweenness(net, places)
    assert through.to_dict() == pytest.approx({"A": 4, "B": 4, "C": 6, "D": 4})


def test_trains_carry_ways_too() -> None:
    nodes = [node("S", 107, 27, "station"), node("T", 108, 27, "station"), node("U", 107.5, 27)]
    net = network(nodes, [link("S", "U", 90), link("U", "T", 90)], service("G", ["S", "T"], [30]))
    load = betweenness(net, at(net, "ST"), of="links")
    assert load.to_dict() == {"S-U": 0.0, "U-T": 0.0}  # 55 minutes by train, 180 by car
    assert closeness(net, at(net, "ST")).to_numpy() == pytest.approx([1 / 55, 1 / 55])


def test_centrality_refuses_what_it_cannot_do(monkeypatch: pytest.MonkeyPatch) -> None:
    net = row_of_towns(10)
    with pytest.raises(InputError, match="of is 'edges'"):
        betweenness(net, of="edges")
    with pytest.raises(InputError, match="weight is a column of places"):
        betweenness(net, weight="people")
    monkeypatch.setattr(centrality, "_MOST_SOURCES", 1)
    with pytest.raises(InputError, match="2 nodes, and a search from each"):
        closeness(net)
    with pytest.raises(InputError, match="2 nodes"):
        betweenness(net)
