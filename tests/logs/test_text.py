"""Lines as people read them."""

from __future__ import annotations

from typing import Any

from core.logs.text import format_line

LINE: dict[str, Any] = {
    "timestamp": "2026-04-24T10:01:00.123456Z",
    "stream": "compartment",
    "message": "stage: building",
    "deploymentId": "dep_a",
    "serviceName": "web",
    "environmentName": "production",
}


def test_one_service() -> None:
    assert format_line(LINE) == "2026-04-24T10:01:00Z [compartment] stage: building"


def test_messages_align() -> None:
    texts = [format_line(LINE | {"stream": name}) for name in ("compartment", "stdout", "stderr")]
    assert len({text.index("stage") for text in texts}) == 1
    assert texts[1].startswith("2026-04-24T10:01:00Z [stdout] ")


def test_several_services() -> None:
    text = format_line(LINE, service_width=6)
    assert text == "2026-04-24T10:01:00Z web    [compartment] stage: building"
