"""What a reader did with its source: read, kept, dropped, repaired, assumed. Nothing is silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["IngestReport", "strong_components"]

_SECTIONS = {
    "read": "读入",
    "kept": "保留",
    "dropped": "舍弃",
    "repaired": "修补",
    "noted": "说明",
    "assumed": "车速取假定值的路段",
    "snapping": "挂接",
}
_LABELS = {
    # read and kept
    "nodes": "节点",
    "ways": "道路、铁路与轮渡",
    "links": "路段",
    "road_links": "道路路段",
    "rail_links": "铁路路段",
    "planned_links": "未建成路段",
    "stations": "车站",
    "services": "班次",
    "feeds": "时刻表",
    "edges": "边",
    # dropped
    "not_for_cars": "非机动车道、步道等",
    "access": "不准社会车辆通行",
    "area": "面状广场",
    "service_driveway": "自家车道、停车场内通道",
    "class_unwanted": "不在所选等级内",
    "construction": "在建",
    "proposed": "规划",
    "planned_class_unknown": "在建或规划，等级不明",
    "ferry": "轮渡",
    "ferry_without_cars": "不载车的轮渡",
    "dead": "废弃、拆除",
    "no_way": "既非道路也非铁路",
    "rail_unwanted": "未要求读铁路",
    "siding": "站线、侧线、专用线",
    "no_track": "非轨道的铁路设施",
    "no_passengers": "不办客运的铁路",
    "station_area": "面状车站（取其中心）",
    "no_nodes": "节点全不在文件内",
    "one_node": "只剩一个节点",
    "station_far": "离轨道太远的车站",
    "station_no_track": "同类轨道不存在的车站",
    # repaired
    "clipped": "部分节点不在文件内，保留其余",
    "missing_refs": "不在文件内的节点引用",
    "duplicate_nodes": "重复的节点编号，取最后一个",
    "duplicate_ways": "重复的要素编号，取最后一个",
    "node_out_of_range": "经纬度越界的节点，当作缺失",
    "repeated_vertices": "连续重复的顶点",
    "zero_length": "长度为零的路段，记为一厘米",
    "rings": "自成环的路段，从中点断开",
    "maxspeed_unreadable": "限速无法识读",
    "maxspeed_implausible": "限速不合理",
    "access_unreadable": "通行权无法识读，当作可通行",
    "oneway_unreadable": "单行标记无法识读",
    "station_merged": "同一轨道节点上的车站，合为一个",
    # noted
    "duplicate_links": "完全相同的平行路段（保留）",
    "split_speeds": "两个方向限速不同，拆为两条单行",
    "maxspeed_list": "限速为多个值，取最低",
    "maxspeed_none": "不限速，用等级车速",
    "maxspeed_variable": "可变限速，用等级车速",
    "maxspeed_zone_unknown": "他国限速分区，用等级车速",
    "oneway_reversible": "潮汐车道，当作双向",
    "oneway_alternating": "交替通行，当作双向",
    "conditional_access": "有条件的通行限制，未采用",
    "conditional_maxspeed": "有条件的限速，未采用",
    "conditional_oneway": "有条件的单行，未采用",
    "enclosed": "只与高速公路相连的服务区道路，不可由此进入",
    # snapping
    "median_m": "距离中位数（米）",
    "p90_m": "距离九成分位（米）",
    "max_m": "距离最大值（米）",
    "snapped": "已挂接",
    "unsnapped": "未挂接",
    # timetables, the world, graphs of OSMnx
    "stops": "站点",
    "routes": "线路",
    "trips": "车次",
    "calls": "停站",
    "frequencies": "按间隔运行的车次",
    "transfers": "站内换乘时间",
    "station_unserved": "时段内无车停靠的车站",
    "route_type_unreadable": "类型无法识读的线路",
    "trip_route_unknown": "线路不存在的车次",
    "trip_route_dropped": "线路已舍弃的车次",
    "trip_calendar_unknown": "日历不存在的车次",
    "trip_without_calls": "没有停站的车次",
    "trip_one_stop": "不足两站的车次",
    "trip_sequence_unreadable": "停站顺序无法识读的车次",
    "trip_sequence_repeated": "停站顺序重复的车次",
    "trip_time_unreadable": "时刻无法识读或为负的车次",
    "trip_time_missing": "首末站无时刻的车次",
    "trip_time_backwards": "时刻倒退的车次",
    "call_trip_unknown": "车次不存在的停站",
    "call_stop_unknown": "站点不存在的停站，按通过处理",
    "call_stop_nowhere": "站点无坐标的停站，按通过处理",
    "call_no_passengers": "不办客的停站，按通过处理",
    "service_outside_window": "时段内无车开出的停站方案",
    "frequency_trip_unknown": "车次不存在的运行间隔",
    "frequency_senseless": "时刻或间隔不合理的运行间隔",
    "transfer_stop_unknown": "站点不存在的换乘",
    "transfer_between_stations": "两站之间的换乘",
    "transfer_particular": "只限某些线路或车次的换乘",
    "transfer_untimed": "没有最短时间的换乘",
    "transfer_unserved": "时段内无车停靠处的换乘",
    "rows_repeated": "重复的行",
    "stop_parent_unknown": "所属车站不存在的站点",
    "stop_parents_endless": "所属关系成环的站点",
    "station_amid_stops": "无坐标的车站，取其站台的中心",
    "stop_at_zero": "坐标为 0, 0 的站点，当作无坐标",
    "calendar_repeated": "重复的日历",
    "call_one_time": "到发只有一个时刻的停站",
    "call_interpolated": "时刻按里程内插的停站",
    "call_same_station": "同站连续停靠，合为一次",
    "run_no_time": "运行时间为零，记为一秒",
    "call_on_request": "须预约的停站，当作固定停站",
    "stops_not_boarded": "时段内不可上车的停站",
    "service_twice_at_station": "两次停靠同一车站的班次",
    "road_edges": "道路边",
    "rail_edges": "铁路边",
    "outside_bounds": "范围以外",
    "self_loops": "自环",
    "across_bounds": "跨出范围的路段（保留）",
    "cache_not_written": "缓存无法写入",
    "merged_edges": "互为往返的边，合为一条双向路段",
    "length_missing": "无长度，按图形量取",
    "length_unreadable": "长度无法识读，按图形量取",
    "geometry_unreadable": "图形无法识读，改用直线",
    "geometry_backwards": "图形方向相反，已调转",
    "highway_list": "等级为多个值，取最低",
    "class_unknown": "没有等级，当作一般道路",
    "speed_kph": "车速取自 speed_kph",
    "routes_hsr": "高速铁路线路",
    "routes_intercity": "城际铁路线路",
    "routes_conventional": "普速铁路线路",
    "routes_suburban": "市域铁路线路",
    "routes_metro": "城市轨道线路",
}


def _no_counts() -> Mapping[str, float]:
    return MappingProxyType({})


@dataclass(frozen=True)
class IngestReport:
    """Counts of a reading, by reason; immutable.

    Attributes
    ----------
    source
        What was read.
    read, kept
        How many of what.
    dropped
        How many ways, or other things, were left out, by reason.
    repaired
        What was wrong with the source and was put right, by kind.
    noted
        What a reader of the result should know, by kind.
    assumed
        Links whose speed nobody states, by the source's own class.
    components
        Nodes in each strongly connected component, the largest first.
    snapping
        How well things were attached to the network: counts and distances in metres.
    """

    source: str
    read: Mapping[str, float] = field(default_factory=_no_counts)
    kept: Mapping[str, float] = field(default_factory=_no_counts)
    dropped: Mapping[str, float] = field(default_factory=_no_counts)
    repaired: Mapping[str, float] = field(default_factory=_no_counts)
    noted: Mapping[str, float] = field(default_factory=_no_counts)
    assumed: Mapping[str, float] = field(default_factory=_no_counts)
    components: tuple[int, ...] = ()
    snapping: Mapping[str, float] = field(default_factory=_no_counts)

    def __post_init__(self) -> None:
        """Make the mappings read-only, without the zeros, in the order of their keys."""
        for section in _SECTIONS:
            counts: Mapping[str, float] = getattr(self, section)
            if section not in {"read", "kept", "snapping"}:
                counts = {key: counts[key] for key in sorted(counts) if counts[key]}
            object.__setattr__(self, section, MappingProxyType(dict(counts)))
        sizes = tuple(sorted((int(size) for size in self.components), reverse=True))
        object.__setattr__(self, "components", sizes)

    @property
    def share_in_largest(self) -> float:
        """Share of the nodes that are in the largest component; NaN if none was counted."""
        total = sum(self.components)
        return self.components[0] / total if total else float("nan")

    def to_frame(self) -> pd.DataFrame:
        """Give one row for each count: ``section``, ``item``, ``label`` (Chinese), ``value``."""
        rows = [
            (section, item, _LABELS.get(item, item), value)
            for section in _SECTIONS
            for item, value in getattr(self, section).items()
        ]
        if self.components:
            rows += [
                ("components", "count", "强连通分量", len(self.components)),
                ("components", "largest", "最大分量的节点", self.components[0]),
                ("components", "share", "最大分量占比", self.share_in_largest),
            ]
        return pd.DataFrame(rows, columns=["section", "item", "label", "value"])

    def __str__(self) -> str:
        lines = [f"读入报告：{self.source}"]
        for section, title in _SECTIONS.items():
            counts = getattr(self, section)
            if counts:
                parts = [
                    f"{_LABELS.get(item, item)} {_number(value)}" for item, value in counts.items()
                ]
                lines.append(f"{title}：" + "；".join(parts))
        if self.components:
            number = len(self.components)
            lines.append(
                f"强连通分量：{number:,} 个，最大者 {self.components[0]:,} 个节点，"
                f"占 {self.share_in_largest:.1%}" + ("；其余保留并标出" if number > 1 else "")
            )
        return "\n".join(lines)

    __repr__ = __str__


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or value >= 100 else f"{value:,.1f}"


def strong_components(
    n_nodes: int, tail: NDArray[np.int64], head: NDArray[np.int64], oneway: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], tuple[int, ...]]:
    """Number the strongly connected components, the largest 0.

    Parameters
    ----------
    n_nodes
        How many nodes there are.
    tail, head, oneway
        One value for each link.

    Returns
    -------
    component : numpy.ndarray of int32
        For each node; -1 for one that no link touches.
    sizes : tuple of int
        Nodes in each component, the largest first; of two of one size the one with the earlier
        node comes first.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    both = ~np.asarray(oneway, dtype=bool)
    rows = np.concatenate([tail, head[both]])
    columns = np.concatenate([head, tail[both]])
    matrix = coo_matrix((np.ones(len(rows), dtype=bool), (rows, columns)), (n_nodes, n_nodes))
    _, label = connected_components(matrix.tocsr(), directed=True, connection="strong")
    touched = np.zeros(n_nodes, dtype=bool)
    touched[rows] = True
    touched[columns] = True
    found, first, inverse, size = np.unique(
        label[touched], return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -size))
    rank = np.empty(len(found), dtype=np.int32)
    rank[order] = np.arange(len(found), dtype=np.int32)
    component = np.full(n_nodes, -1, dtype=np.int32)
    component[touched] = rank[inverse]
    return component, tuple(size[order].tolist())
