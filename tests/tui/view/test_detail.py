from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.tui.screens.replies import HOSTILE, at, deployment, inspected, scene, service
from tui.view.detail import configuration, present
from tui.view.glyphs import ASCII, UNICODE

if TYPE_CHECKING:
    from tui.view.scene import Scene


def shown(found: Scene, name: str = "api", width: int = 78) -> list[str]:
    return [line.plain for line in present(found.state.services[name], found, width)]


CANDIDATE = deployment(
    "dep_api2", "api", status="running", isActive=False, promotionStage="checking_readiness",
    health="pending", address="127.0.0.1:31008", startedAt=at(-22), label="fix",
)  # fmt: skip
WAITING = {
    "kind": "readiness", "since": at(-21), "limitSeconds": 30,
    "detail": "GET /healthz -> 503 Service Unavailable", "tries": 44, "recent": [None, 503, 503],
}  # fmt: skip


def test_readiness_tries_and_the_time_left() -> None:
    told = shown(scene(services={"api": service("api", candidate=CANDIDATE, waiting=WAITING)}))
    assert "waits      until it is ready, 21s" in told
    assert "           GET /healthz -> 503 Service Unavailable" in told
    assert "tries      44, the last replies: - 503 503" in told
    assert "left       9s of 30s  ▰▰▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱" in told
    assert 'candidate  dep_api2  up 22s  127.0.0.1:31008  "fix"' in told
    assert any(line.startswith("live       dep_api1  up 1m") for line in told)


def test_what_a_drain_still_carries() -> None:
    waiting = {"kind": "drain", "since": at(-2), "limitSeconds": 30, "requests": 1, "streams": 2}
    told = shown(scene(services={"api": service("api", waiting=waiting)}))
    assert "open       1 request, 2 streams" in told


def test_a_failure_is_shown_by_its_first_line() -> None:
    failed = deployment("dep_api3", "api", status="failed", isActive=False,
                        failureMessage="no 2xx in 30 s\nlast lines")  # fmt: skip
    told = shown(scene(services={"api": service("api", failed=failed)}))
    assert "           no 2xx in 30 s" in told
    assert not any("last lines" in line for line in told)


def test_a_service_that_was_never_deployed() -> None:
    nothing = service("api", live=None, previous=None)
    told = shown(scene(services={"api": nothing}))
    assert told[0].endswith("not deployed")
    assert not any(line.startswith(("live", "url")) for line in told)


def test_figures_have_their_value_and_their_course() -> None:
    statistics = {"at": at(0), "services": {"api": {
        "cpuPercent": 12.2, "memoryBytes": 112_000_000, "requestsPerSecond": 12.5,
        "errorsPerSecond": None, "p95Ms": 8.1}}}  # fmt: skip
    told = shown(scene(statistics=statistics))
    figures = {line.split()[0]: line.split()[1] for line in told[-5:]}
    assert figures == {
        "cpu": "12%", "memory": "107M", "requests/s": "12", "p95": "8ms", "errors/s": "-",
    }  # fmt: skip
    assert told[-5][-1] in UNICODE.spark[1:], "what is more than nothing is seen"
    assert "no figures yet: they come every 2 s while it runs" in shown(scene())


@pytest.mark.parametrize("text", HOSTILE)
def test_any_label_and_detail_stays_text(text: str) -> None:
    waiting = {**WAITING, "detail": text}
    candidate = {**CANDIDATE, "label": text}
    found = scene(services={"api": service("api", candidate=candidate, waiting=waiting)})
    told = shown(found)
    assert f"           {text}" in told
    assert any(f'"{text}"' in line for line in told)


def test_ascii_has_only_ascii() -> None:
    found = scene(ASCII, services={"api": service("api", candidate=CANDIDATE, waiting=WAITING)})
    assert all(line.isascii() for line in shown(replace(found, glyphs=ASCII)))


def test_the_configuration_has_variables_by_name_only() -> None:
    told = [line.plain for line in configuration(inspected(SECRET="hunter2"), 100)]
    assert any(line.split() == ["variables", "LOG_LEVEL,", "SECRET_KEY"] for line in told)
    assert any(line.split() == ["readiness.timeoutMs", "30000"] for line in told)
    assert any(line.split() == ["artifact", "art_1", "(available)"] for line in told)
    none = [line.plain for line in configuration(inspected(variableNames=[]), 100)]
    assert any(line.split() == ["variables", "none"] for line in none)


@pytest.mark.parametrize(
    ("kind", "has"),
    [
        ("web", {"run.restart.policy", "drain.timeoutMs", "drain.streamsMs", "replicas.desired"}),
        ("worker", {"run.restart.policy", "drain.timeoutMs", "replicas.desired"}),
        ("job", set()),
        ("cron", set()),
    ],
)
def test_the_configuration_has_what_the_kind_has(kind: str, has: set[str]) -> None:
    replicas = {"ready": 0, "desired": 0}
    lines = configuration(inspected(kind=kind, replicas=replicas), 100)
    names = {line.plain.split()[0] for line in lines}
    assert {each for each in names if each.startswith(("run.r", "drain", "replicas"))} == has
