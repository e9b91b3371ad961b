"""What the project files are called."""

from __future__ import annotations

from typing import Final

DESCRIPTOR_FILE: Final = "compartment.yml"
ROUTES_FILE: Final = "compartment.routes.yml"
