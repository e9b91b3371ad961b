"""Deployments to test with."""

from __future__ import annotations

from typing import Any

from core.model import Service
from core.records import Deployment, Target

TARGET = Target("shop", "production")


def deployment(**fields: Any) -> Deployment:
    """A queued deployment of `web`."""
    given = {
        "id": "dep_aaaaaaaaaaaa",
        "run_id": "drn_aaaaaaaaaaaa",
        "target": TARGET,
        "service": Service("web", "."),
        "rules": (),
        "artifact_id": "art_0",
        "variables": {},
        "created_at": "2026-01-01T00:00:00.000000Z",
    }
    return Deployment(**{**given, **fields})
