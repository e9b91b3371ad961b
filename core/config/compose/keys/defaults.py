"""What Compose adds to a model that does not say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.config.compose.keys.shapes import within

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_DEFAULT = "default"
_SECRETS = "/run/secrets"


def fill_in(
    model: dict[str, Any], folder: Path, lookup: Callable[[str], str | None]
) -> dict[str, Any]:
    """Return the model with everything that is there although no file says it."""
    for section in ("services", "networks", "volumes", "secrets", "configs"):
        said = model.get(section) or {}
        model[section] = {key: dict(value or {}) for key, value in said.items()}
    for service in model["services"].values():
        service.setdefault("command", None)
        service.setdefault("entrypoint", None)
        if service.get("build") is not None:
            service["build"] = _build(service["build"], folder, lookup)
        if not service.get("networks") and not service.get("network_mode"):
            service["networks"] = {_DEFAULT: None}
            model["networks"].setdefault(_DEFAULT, {})
        elif _DEFAULT in (service.get("networks") or ()):
            model["networks"].setdefault(_DEFAULT, {})
        for needed in (service.get("depends_on") or {}).values():
            needed.setdefault("required", True)
        _files(service)
        _devices(service)
    for network in model["networks"].values():
        if not network.get("external"):
            network.setdefault("ipam", {})
    return model


def _build(
    said: dict[str, Any], folder: Path, lookup: Callable[[str], str | None]
) -> dict[str, Any]:
    build = {"context": str(folder), **said}
    if not build.get("dockerfile_inline"):
        build["dockerfile"] = build.get("dockerfile") or "Dockerfile"
    if "args" in build:
        build["args"] = {
            key: lookup(key) if value is None else value for key, value in build["args"].items()
        }
    return build


def _files(service: dict[str, Any]) -> None:
    """Where secrets and configs are in the container, as an absolute path."""
    for section, folder in (("secrets", _SECRETS), ("configs", "")):
        if service.get(section):
            service[section] = [
                {**each, "target": _target(each.get("target") or each["source"], folder)}
                for each in service[section]
            ]


def _target(target: str, folder: str) -> str:
    return target if target.startswith("/") else f"{folder}/{target}"


def _devices(service: dict[str, Any]) -> None:
    """All GPUs, where neither a count nor their ids are said."""
    reserved = within(service, "deploy", "resources", "reservations", "devices") or []
    for request in (*reserved, *(service.get("gpus") or [])):
        if "count" not in request and "device_ids" not in request:
            request["count"] = -1


def without_unused(model: dict[str, Any]) -> dict[str, Any]:
    """Return the model without the networks, volumes, secrets and configs that nobody uses."""
    services = list(model["services"].values())
    builds = [service["build"] for service in services if service.get("build")]
    used: dict[str, set[str]] = {
        "networks": {key for service in services for key in service.get("networks") or ()},
        "volumes": {
            mount.get("source", "")
            for service in services
            for mount in service.get("volumes") or ()
        },
        "secrets": _sources([*services, *builds], "secrets"),
        "configs": _sources(services, "configs"),
    }
    kept = {
        section: {key: said for key, said in model[section].items() if key in keys}
        for section, keys in used.items()
    }
    return {**model, **kept}


def _sources(owners: list[dict[str, Any]], section: str) -> set[str]:
    return {each.get("source", "") for owner in owners for each in owner.get(section) or ()}
