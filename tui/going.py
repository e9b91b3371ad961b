"""Where the dashboard goes next."""

from __future__ import annotations

from typing import NamedTuple


class Going(NamedTuple):
    """Another environment, which the app is left for."""

    project: str
    environment: str
    told: str = ""
    """What is said there, such as which run is followed."""
