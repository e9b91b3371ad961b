"""Commands about project files, which need no agent and start none."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli import compose
from core.cli.exits import Exit
from core.cli.from_compose import init_from_compose, write_new
from core.cli.target import check_service, compose_options, project_here
from core.cli.text import columns, counted, plain
from core.errors import UsageError
from core.model import AccessMode

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    from core.cli.output import Output
    from core.config.routes import Decision
    from core.model import Project, RouteRule


def init(arguments: Namespace, output: Output) -> int:
    """Writes a minimal `compartment.yml`, or one from Compose files; never over another one."""
    if arguments.from_compose:
        return init_from_compose(arguments, output)
    from core.config.schema import minimal_descriptor

    name = arguments.name or arguments.project or _slug(Path.cwd().name)
    if not name:
        raise UsageError("the name of this folder gives no name for a project",
                         hint="name it: compartment init --name NAME")  # fmt: skip
    text = minimal_descriptor(name)
    file = Path("compartment.yml")
    write_new(file, text)
    output.answer(
        {"file": f"./{file}", "descriptor": text},
        lambda: [f"wrote {file}: project {name} with the service web", "next: compartment deploy"],
    )
    return Exit.DONE


def _slug(text: str) -> str:
    return re.sub(r"^[^a-z]+", "", re.sub(r"[^a-z0-9]+", "-", text.lower()))[:63].strip("-")


def validate(arguments: Namespace, output: Output) -> int:
    """Reads every project file, and the settings; problems are errors, notes are not."""
    from core.config.settings import read_settings

    project = project_here(compose_options(arguments)).project
    read_settings(os.environ)
    services = list(project.services)
    more = {"files": list(project.files)} if project.is_compose else {}
    output.answer(
        {
            "project": project.name,
            "root": str(project.root),
            "services": services,
            "routes": len(project.rules),
            "problems": [],
            "notes": [asdict(each) for each in project.notes],
            **more,
        },
        lambda: [*(f"note: {plain(str(each))}" for each in project.notes), _valid(project)],
    )
    return Exit.DONE


def _valid(project: Project) -> str:
    services = project.services
    told = f"project {project.name} is valid: {counted(len(services), 'service')}"
    routes = "" if project.is_compose else f", {counted(len(project.rules), 'route rule')}"
    return f"{told} ({', '.join(services)}){routes}"


def schema(arguments: Namespace, output: Output) -> int:
    """The JSON Schema of a file; of Compose files what is honoured."""
    of = getattr(arguments, "of", "descriptor")
    if of == "compose":
        return compose.schema(output)
    from core.config.schema import descriptor_schema, routes_schema

    print(json.dumps(routes_schema() if of == "routes" else descriptor_schema(), indent=2))
    return Exit.DONE


def routes_schema(arguments: Namespace, output: Output) -> int:
    """The JSON Schema of `compartment.routes.yml`."""
    arguments.of = "routes"
    return schema(arguments, output)


def routes_list(arguments: Namespace, output: Output) -> int:
    """The rules in their order."""
    project = project_here(compose_options(arguments)).project
    check_service(arguments.service, project.services)
    rules = [rule for rule in project.rules if arguments.service in (None, rule.on)]
    output.answer(
        {"project": project.name, "routes": [_rule_json(rule) for rule in rules]},
        lambda: _rule_lines(rules, colour=output.has_colour),
    )
    return Exit.DONE


def _rule_lines(rules: list[RouteRule], *, colour: bool) -> list[str]:
    if not rules:
        return ["no route rules"]
    rows = [(rule.on, _methods(rule), rule.path, "->", rule.to, _transform(rule)) for rule in rules]
    return columns([("ON", "METHODS", "PATH", "", "TO", "TRANSFORM"), *rows], colour=colour)


def routes_test(arguments: Namespace, output: Output) -> int:
    """Which rule takes a request, and the path that the target sees."""
    from core.config.routes import match

    project = project_here(compose_options(arguments)).project
    check_service(arguments.service, project.services)
    if not arguments.path.startswith("/"):
        raise UsageError(f"{plain(arguments.path)!r} is no path: it begins with /")
    found = match(project.rules, arguments.service, arguments.method, arguments.path)
    rule = found.rule if found else None
    asking = _asking_for_login(project, (arguments.service, found.to)) if found else []
    output.answer(
        {
            "project": project.name,
            "on": arguments.service,
            "isSafe": found is not None,
            "rule": _rule_json(rule) if rule else None,
            "ruleNumber": project.rules.index(rule) + 1 if rule else None,
            "to": found.to if found else None,
            "upstreamPath": found.upstream if found else None,
            "needsLogin": bool(asking),
        },
        lambda: [*_decision(found, project.rules, arguments.service), *_login(asking)],
    )
    return Exit.DONE


def _asking_for_login(project: Project, services: Iterable[str]) -> list[str]:
    """Those of some services that are not for everybody, each once."""
    found = (project.services[name] for name in dict.fromkeys(services))
    return [each.name for each in found if each.access_mode is AccessMode.AUTHENTICATED]


def _login(asking: list[str]) -> list[str]:
    return [f"it needs a login: {' and '.join(asking)} asks for one"] if asking else []


def _decision(found: Decision | None, rules: tuple[RouteRule, ...], service: str) -> list[str]:
    if found is None:
        return ["refused with 404: the path could be read in more than one way"]
    if found.rule is None:
        return [f"no rule takes it: {service} handles it itself", f"it sees {found.upstream}"]
    rule = found.rule
    words = " ".join((_methods(rule), rule.path, "->", rule.to, _transform(rule))).rstrip()
    return [
        f"rule {rules.index(rule) + 1} takes it: {words}",
        f"{found.to} sees {found.upstream}",
    ]


def _methods(rule: RouteRule) -> str:
    return ",".join(rule.methods) or "any"


def _transform(rule: RouteRule) -> str:
    return f"({rule.transform} {rule.value})" if rule.transform else ""


def _rule_json(rule: RouteRule) -> dict[str, Any]:
    """The rule as the file has it."""
    transform = {str(rule.transform): rule.value} if rule.transform else {}
    methods = {"methods": list(rule.methods)} if rule.methods else {}
    return {"on": rule.on, "path": rule.path, "to": rule.to, **methods, **transform}
