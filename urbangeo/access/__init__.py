"""Questions asked of the graph: travel times, circles, surfaces."""

from urbangeo.access.circle import CommutingCircle, commuting_circle
from urbangeo.access.times import travel_times

__all__ = ["CommutingCircle", "commuting_circle", "travel_times"]
