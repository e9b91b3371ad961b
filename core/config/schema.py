"""The JSON Schemas of the project files, and the smallest descriptor there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.config.descriptor import DescriptorModel
from core.config.descriptor_rules import RESERVED_NAME
from core.config.document import quote
from core.config.file_names import DESCRIPTOR_FILE, ROUTES_FILE
from core.config.patterns import PATTERN_WORDS, PROJECT_NAME
from core.config.routes_file import RoutesModel
from core.config.scalars import resolve
from core.errors import UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel

_MINIMAL = """\
name: {name}

services:
  web:
    path: .
    # Without a readiness check a candidate gets traffic as soon as it is up.
    # readiness:
    #   type: http
    #   path: /healthz
"""


def descriptor_schema() -> dict[str, Any]:
    """Return the JSON Schema of `compartment.yml`."""
    return _schema(DescriptorModel, DESCRIPTOR_FILE)


def routes_schema() -> dict[str, Any]:
    """Return the JSON Schema of `compartment.routes.yml`."""
    return _schema(RoutesModel, ROUTES_FILE)


def minimal_descriptor(name: str) -> str:
    """Return the text of a `compartment.yml` with one service in the folder of the file.

    Raises:
        UsageError: The name is not that of a project.
    """
    if not re.fullmatch(PROJECT_NAME, name) or name == RESERVED_NAME:
        message = f"{quote(name)} cannot be the name of a project"
        raise UsageError(message, hint=f"use {PATTERN_WORDS[PROJECT_NAME]}")
    is_plain = isinstance(resolve(name), str)
    return _MINIMAL.format(name=name if is_plain else f'"{name}"')


def _schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    schema: dict[str, Any] = _tidied(model.model_json_schema())
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **schema, "title": title}


def _tidied(node: Any) -> Any:
    """Return a schema that is as strict as the models, without the titles that are made up."""
    if isinstance(node, list):
        return [_tidied(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _tidied(value) for key, value in node.items()}
    if isinstance(node.get("title"), str):
        del node["title"]
    if node.get("default", ...) is None:
        del node["default"]
    if "patternProperties" in node:
        node["additionalProperties"] = False
    if {"type": "null"} in node.get("anyOf", []):
        node["anyOf"].remove({"type": "null"})
        if len(node["anyOf"]) == 1:
            node = {**node.pop("anyOf")[0], **node}
    return node
