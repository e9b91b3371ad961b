from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from core.config.project import load_project
from core.config.schema import descriptor_schema, minimal_descriptor, routes_schema
from core.errors import UsageError
from tests.config.checks import descriptor_problems

if TYPE_CHECKING:
    from collections.abc import Iterator


def properties(schema: dict[str, Any], name: str) -> dict[str, Any]:
    definition = schema["$defs"][name]
    found: dict[str, Any] = definition.get("anyOf", [None, definition])[1]["properties"]
    return found


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from nodes(child)


@pytest.mark.parametrize("schema", [descriptor_schema(), routes_schema()])
def test_everything_is_described_and_closed(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "$id" not in schema
    assert schema["description"]
    assert json.loads(json.dumps(schema)) == schema
    for node in nodes(schema):
        assert node.get("type") != "null"
        for name, field in node.get("properties", {}).items():
            assert field.get("description"), name
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
        if "pattern" in node:
            re.compile(node["pattern"])


def test_descriptor() -> None:
    schema = descriptor_schema()

    assert schema["title"] == "compartment.yml"
    assert schema["required"] == ["name", "services"]
    service = properties(schema, "ServiceModel")
    assert set(service) == {
        *("path", "kind", "accessMode", "build", "run", "readiness", "release", "drain", "port"),
        *("replicas", "strategy", "dependsOn", "schedule", "timeLimitMs", "limits"),
        "autoRollback",
    }
    assert service["kind"]["default"] == "web"
    assert service["kind"]["enum"] == ["web", "api", "worker", "job", "cron"]
    assert schema["$defs"]["ServiceModel"]["anyOf"][0]["type"] == "string"
    timeout = properties(schema, "ReadinessModel")["timeoutMs"]
    assert (timeout["minimum"], timeout["maximum"], timeout["default"]) == (1, 300_000, 30_000)
    assert "default" not in service["port"]
    names, conditions = service["dependsOn"]["anyOf"]
    assert names["type"] == "array"
    assert next(iter(conditions["patternProperties"].values())) == {
        "enum": ["started", "healthy", "completed"]
    }
    assert schema["$defs"]["ScheduleModel"]["anyOf"][0]["type"] == "string"
    assert properties(schema, "ScheduleModel")["timeZone"]["default"] == "UTC"


def test_routes() -> None:
    schema = routes_schema()

    assert schema["title"] == "compartment.routes.yml"
    assert schema["properties"]["version"]["const"] == 1
    assert properties(schema, "RouteRuleModel")["methods"]["items"]["enum"] == [
        *("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"),
    ]


@pytest.mark.parametrize("name", ["shop", "a", "null", "true", "false", "no", "a-1"])
def test_minimal_descriptor_is_valid(tmp_path: Any, name: str) -> None:
    text = minimal_descriptor(name)
    (tmp_path / "compartment.yml").write_text(text)

    assert descriptor_problems(text) == []
    assert load_project(tmp_path).name == name


@pytest.mark.parametrize("name", ["", "Shop", "1a", "a_b", "a" * 64, "create", "a\n", "a: b"])
def test_minimal_descriptor_needs_a_valid_name(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a project"):
        minimal_descriptor(name)
