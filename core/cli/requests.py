"""The bodies of requests for runs, made the same way by every front end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from core.cli.target import check_deployable
from core.cli.text import is_utf8
from core.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.config.compose.options import ComposeOptions
    from core.model import Project

Json = dict[str, Any]


def deploy_body(
    project: Project,
    trigger: Trigger,
    options: ComposeOptions,
    *,
    environment: str,
    name: str | None = None,
    services: Sequence[str] = (),
    engine: str = "auto",
    label: str | None = None,
    use_cache: bool = True,
    wait_s: float | None = None,
) -> Json:
    """A run from source, or a plan for one; `name` if it is deployed under another than its own.

    The options are those that lead to the project from anywhere.

    Raises:
        ConfigError, UsageError: it cannot be deployed as it is asked for.
    """
    name = name or project.name
    check_deployable(project, name, services)
    return {
        "project": name,
        "environment": environment,
        "trigger": trigger,
        "services": list(services),
        "root": str(project.root),
        "environ": _environ(),
        "engine": engine,
        "label": label,
        "useCache": use_cache,
        "waitS": wait_s,
        **(_compose(options) if project.is_compose else {}),
    }


def _compose(options: ComposeOptions) -> Json:
    return {
        "files": list(options.files),
        "envFiles": list(options.env_files),
        "profiles": list(options.profiles),
    }


def _environ() -> dict[str, str]:
    """Our environment, from which the agent picks; what is not UTF-8 cannot be sent."""
    return {name: value for name, value in os.environ.items() if is_utf8(name + value)}


def promote_body(
    project: str,
    source: str,
    target: str,
    services: Sequence[str] = (),
    *,
    engine: str = "auto",
    label: str | None = None,
    wait_s: float | None = None,
) -> Json:
    """What is active in one environment to another one, which needs no source."""
    return {
        "project": project,
        "environment": target,
        "sourceEnvironment": source,
        "trigger": Trigger.PROMOTE,
        "services": list(services),
        "environ": _environ(),
        "engine": engine,
        "label": label,
        "waitS": wait_s,
    }


def rollback_body(
    target: Mapping[str, str],
    services: Sequence[str] = (),
    *,
    to: str | None = None,
    wait_s: float | None = None,
) -> Json:
    """A return to kept deployments, which needs no source."""
    return {
        **target,
        "trigger": Trigger.ROLLBACK,
        "services": list(services),
        "to": to,
        "waitS": wait_s,
    }
