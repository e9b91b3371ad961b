"""Notifications over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

    from core.platform import Platform

Json = dict[str, Any]


def add_notifications(app: FastAPI, platform: Platform) -> None:
    """Adds `/v1/notifications`: who is told of what, how that goes, and a test of it."""

    @app.get("/v1/notifications")
    async def listed() -> Json:
        return {"notifications": platform.notifications.as_json()}

    @app.post("/v1/notifications/test")
    async def tested() -> Json:
        return {"notifications": await platform.notifications.test()}
