"""Commands that show the present: `status` and `inspect`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from core.cli.execution_text import execution_lines, schedule_words
from core.cli.exits import Exit
from core.cli.plan_text import role_lines
from core.cli.report import Places
from core.cli.target import ask, service_query
from core.cli.text import (
    NONE,
    columns,
    duration,
    first_line,
    moment,
    pairs,
    plain,
    plain_lines,
    seconds_between,
)
from core.model import AccessMode, ServiceKind

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    from core.cli.output import Output

Json = dict[str, Any]


_HEADER = (
    "SERVICE", "KIND", "STAGE", "STATUS", "HEALTH", "ACTIVE", "REPLICAS", "UPTIME", "URL"
)  # fmt: skip


def status(arguments: Namespace, output: Output) -> int:
    """Each service as it is now."""
    query = service_query(arguments)
    found = ask(lambda client: client.status(query))
    render = _verbose_lines if output.verbose else _status_lines
    output.answer(found, lambda: render(found, colour=output.has_colour))
    return Exit.DONE


def _status_lines(found: Json, *, colour: bool) -> list[str]:
    active = {each["serviceName"]: each for each in found["activeDeployments"]}
    places = Places(each["routeUrl"] for each in active.values())
    rows: list[tuple[str, ...]] = [_HEADER]
    notes = []
    for newest in found["deployments"]:
        live = active.get(newest["serviceName"])
        is_settled = newest["status"] in ("succeeded", "stopped")
        rows.append(_status_row((live if is_settled else None) or newest, live, places))
        if newest["status"] == "failed":
            serves = f"; {live['id']} serves" if live else ""
            reason = first_line(newest["failureMessage"])
            notes.append(f"{newest['serviceName']}: {newest['id']} failed: {reason}{serves}")
        if live and live["healthReason"]:
            reason = plain(live["healthReason"])
            notes.append(f"{live['serviceName']}: {live['id']} is {live['health']}: {reason}")
        notes += _aftercare(live) if live else []
    return [*columns(rows, colour=colour), *notes, *execution_lines(found["executions"])]


def _aftercare(live: Json) -> list[str]:
    """Whether a way back is open without anybody asking, or was taken."""
    told = f"{live['serviceName']}: {live['id']}"
    if live["watchedUntil"]:
        return [f"{told} is watched until {moment(live['watchedUntil'])}"]
    if live["returnedBecause"]:
        return [f"{told} was gone back to: {first_line(live['returnedBecause'], 400)}"]
    return []


def _status_row(shown: Json, live: Json | None, places: Places) -> tuple[str, ...]:
    """Stage and status are those of the deployment to look at, the rest is what serves."""
    head = (shown["serviceName"], shown["kind"], shown["promotionStage"], shown["status"])
    if live is None:
        health = NONE if shown["status"] == "stopped" else shown["health"]
        return (*head, health, NONE, NONE, NONE, NONE)
    ready, desired = live["replicas"]["ready"], live["replicas"]["desired"]
    replicas = f"{ready}/{desired}" if desired else NONE
    uptime = live["uptimeSeconds"]
    return (
        *head,
        live["health"],
        live["id"],
        replicas,
        NONE if uptime is None else duration(uptime),
        places.of(live["routeUrl"]),
    )


def _verbose_lines(found: Json, *, colour: bool) -> Iterable[str]:
    yield from _status_lines(found, colour=colour)
    newest = {each["id"] for each in found["deployments"]}
    also = [each for each in found["activeDeployments"] if each["id"] not in newest]
    for each in (*found["deployments"], *also):
        yield ""
        yield from pairs([*_facts(found, each), *_none(Failure=each["failureMessage"])])
        yield from _failure(each)


def _facts(found: Json, each: Json) -> list[tuple[str, object]]:
    end = each["completedAt"]
    return [
        ("Project", found["project"]),
        ("Environment", found["environment"]),
        ("Service", each["serviceName"]),
        ("Deployment", each["id"]),
        ("Run", each["deploymentRunId"]),
        ("Label", each["label"]),
        ("Active", "yes" if each["isActive"] else "no"),
        ("Status", each["status"]),
        ("Promotion Stage", each["promotionStage"]),
        ("Health", each["health"]),
        ("Health Reason", plain(each["healthReason"]) if each["healthReason"] else None),
        ("Duration", duration(seconds_between(each["createdAt"], end)) if end else None),
        ("Route", each["routeUrl"]),
        *([] if each["isActive"] else [("Rollback", _can_return(each))]),
        ("Queued At", moment(each["createdAt"])),
        ("Completed At", moment(end) if end else None),
    ]


def _can_return(each: Json) -> str:
    return "available" if each["rollbackAvailable"] else "not available"


def _failure(each: Json) -> list[str]:
    return _section("Failure", plain_lines(each["failureMessage"] or ""))


def inspect(arguments: Namespace, output: Output) -> int:
    """Everything about deployments."""
    query = {**service_query(arguments), "deployment": arguments.deployment}
    found = ask(lambda client: client.inspect(query))
    output.answer(found, lambda: _inspect_lines(found))
    return Exit.DONE


def _inspect_lines(found: Json) -> Iterable[str]:
    for index, each in enumerate(found["deployments"]):
        if index:
            yield ""
        listed = {name: each[name.lower()] for name in ("Routes", "Activations")}
        nothing = _none(**listed, Failure=each["failureMessage"])
        yield from pairs([*_facts(found, each), *_details(each), *nothing])
        if each["container"]:
            role = role_lines({**each, **each["container"]})
            yield from _section("Understood", [plain(line) for line in role])
        yield from _section("Routes", [_rule(rule) for rule in each["routes"]])
        yield from _section("Activations", [_activation(one) for one in each["activations"]])
        if each["isActive"] and each["serviceName"] in found["executions"]:
            brief = {each["serviceName"]: found["executions"][each["serviceName"]]}
            yield from _section("Executions", execution_lines(brief))
        yield from _failure(each)


def _details(each: Json) -> list[tuple[str, object]]:
    return [
        ("Kind", each["kind"]),
        ("Path", each["path"]),
        ("Artifact", f"{each['artifactId']} ({each['artifactState']})"),
        *(_contained(each["container"]) if each["container"] else _run(each)),
        *(_while_it_runs(each) if ServiceKind(each["kind"]).is_long_running else []),
        *([("Schedule", schedule_words(each["schedule"]))] if each["schedule"] else []),
        *([("Time Limit", f"{each['timeLimitMs']} ms")] if each["timeLimitMs"] else []),
        ("Route Host", each["routeHost"]),
        ("Access", _access(each) if each["routeHost"] else None),
        ("Variables", ", ".join(each["variableNames"]) or None),
    ]


def _access(each: Json) -> str:
    is_open = each["accessMode"] == AccessMode.PUBLIC
    return "everybody" if is_open else "its users, by name and password"


def _run(each: Json) -> list[tuple[str, object]]:
    return [
        ("Build", each["build"]["command"] or each["build"]["strategy"]),
        ("Command", each["run"]["command"] or "detected"),
    ]


def _contained(container: Json) -> list[tuple[str, object]]:
    """What its Compose file says in the place of these."""
    words = [*(container["entrypoint"] or ()), *(container["command"] or ())]
    return [
        ("Image", container["image"]),
        ("Build", container["build"]),
        ("Command", plain(shlex.join(words)) if words else "that of the image"),
    ]


def _while_it_runs(each: Json) -> list[tuple[str, object]]:
    """What neither a job nor a cron has."""
    readiness, drain = each["readiness"], each["drain"]
    finishes = f"finishes what it has in hand within {drain['timeout_ms']} ms"
    if each["kind"] != ServiceKind.WORKER:
        finishes = f"requests {drain['timeout_ms']} ms, streams {drain['streams_ms']} ms"
    return [
        ("Restart Policy", each["run"]["restart"]["policy"]),
        ("Readiness", _readiness(readiness) if readiness else None),
        ("Drain", finishes),
        *([("Rolls Back", each["autoRollback"]["words"])] if each["autoRollback"] else []),
        *([("Watched Until", moment(each["watchedUntil"]))] if each["watchedUntil"] else []),
        *([("Gone Back To", plain(each["returnedBecause"]))] if each["returnedBecause"] else []),
    ]


def _readiness(block: Json) -> str:
    checks = {
        "http": f"GET {block['path']}",
        "tcp": "a connection to its port",
        "command": f"`{block['command']}`",
    }
    what = checks[block["type"]]
    return f"{what} within {block['timeout_ms']} ms, then every {block['interval_ms']} ms"


def _section(name: str, lines: list[str]) -> list[str]:
    return [f"{name}:", *(f"  {line}" for line in lines)] if any(lines) else []


def _none(**listed: object) -> list[tuple[str, object]]:
    """The names of what is not there, which gets no section."""
    return [(name, None) for name, found in listed.items() if not found]


def _rule(rule: Json) -> str:
    methods = ",".join(rule["methods"]) or "any"
    transform = f" ({rule['transform']} {rule['value']})" if rule["transform"] else ""
    return f"{methods} {rule['path']} -> {rule['to']}{transform}"


def _activation(one: Json) -> str:
    address = ", ".join(one["addresses"]) or "no address"
    return f"{one['name']}  {one['state']}  {address}  since {moment(one['startedAt'])}"
