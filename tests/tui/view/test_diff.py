from __future__ import annotations

from tests.tui.screens.replies import HOSTILE, Json, inspected
from tui.view.diff import Change, difference, lines, settings


def shown(before: Json, after: Json) -> list[str]:
    return [line.plain for line in lines(difference(before, after))]


def test_ids_times_addresses_and_states_are_no_difference() -> None:
    after = inspected(
        "dep_web9", createdAt="2027-01-01T00:00:00Z", address="127.0.0.1:9", health="unhealthy",
        isActive=False, label="other", routeUrl=None, replicas={"ready": 0, "desired": 1},
        activations=[], rollbackAvailable=True, restarts=7,
    )  # fmt: skip
    found = difference(inspected(), after)
    assert found.is_empty


def test_settings_are_named_as_the_project_file_has_them() -> None:
    found = settings(inspected())
    assert found["readiness.timeoutMs"] == "30000"
    assert found["build.buildPackages"] == "gcc"
    assert found["replicas.desired"] == "1"
    assert "run.restart.maxRetries" not in found, "what is not set is not shown"
    assert not any(name.startswith(("id", "createdAt", "routes")) for name in found)


def test_changed_added_and_removed_settings() -> None:
    before = inspected(run={"command": "old", "restart": {"policy": "no"}}, readiness=None)
    after = inspected(run={"command": "new", "restart": {"policy": "no"}}, schedule="@daily")
    found = difference(before, after).configuration
    assert Change("run.command", "old", "new") in found
    assert Change("schedule", None, "@daily") in found
    assert Change("readiness.path", None, "/healthz") in found


def test_the_signs_tell_before_and_after() -> None:
    before = inspected(artifactId="art_0", variableNames=["OLD"], routes=[])
    after = inspected(artifactId="art_1", variableNames=["NEW"])
    assert shown(before, after) == [
        "artifact",
        "  - art_0",
        "  + art_1",
        "configuration",
        "    no change",
        "route rules",
        "  + any /api/* -> api  (stripPrefix /api)",
        "variables (by name; values are not compared)",
        "  - OLD",
        "  + NEW",
    ]


def test_rules_in_another_order_are_a_difference() -> None:
    one = {"on": "web", "path": "/a", "to": "api"}
    other = {"on": "web", "path": "/b", "to": "api", "methods": ["GET", "PUT"]}
    found = difference(inspected(routes=[one, other]), inspected(routes=[other, one]))
    assert found.routes == ()
    assert found.is_other_order
    assert not found.is_empty
    assert "    the same rules in another order" in shown(
        inspected(routes=[one, other]), inspected(routes=[other, one])
    )


def test_markup_in_values_stays_text() -> None:
    for text in HOSTILE:
        before, after = inspected(run={"command": "x"}), inspected(run={"command": text})
        assert f"  + run.command: {text}" in shown(before, after)
