"""The road and rail graph: tables, profiles, views, snapping."""

from urbangeo.network.facts import Facts
from urbangeo.network.network import Network
from urbangeo.network.profiles import Profile

__all__ = ["Facts", "Network", "Profile"]
