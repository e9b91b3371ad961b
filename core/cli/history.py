"""The history of deployments, grouped by run."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from core.cli.exits import Exit
from core.cli.target import ask, service_query
from core.cli.text import NONE, columns, counted, first_line, moment
from core.model import Status, Trigger

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output

Json = dict[str, Any]

_WORST_FIRST = ("failed", "running", "queued", "stopped")


def deployment_list(arguments: Namespace, output: Output) -> int:
    """The newest deployments and what they are due to, newest first."""
    query = {**service_query(arguments), "limit": arguments.limit}
    found = ask(lambda client: client.history(query))
    output.answer(found, lambda: _lines(found, colour=output.has_colour))
    return Exit.DONE


def _lines(found: Json, *, colour: bool) -> list[str]:
    made: dict[str, list[Json]] = {run["id"]: [] for run in found["runs"]}
    for each in found["deployments"]:
        made[each["deploymentRunId"]].append(each)
    rows = []
    for run in found["runs"]:
        is_back = run["trigger"] == Trigger.ROLLBACK
        group = run["deployments"] if is_back else made[run["id"]]
        group = sorted(group, key=lambda each: str(each["serviceName"]))
        rows.append([_returned(run, each) if is_back else _row(each) for each in group])
    # One table, so that the columns of all runs stand under each other.
    table = iter(columns(chain.from_iterable(rows), colour=colour, indent="  "))
    return [
        line
        for run, group in zip(found["runs"], rows, strict=True)
        for line in (_heading(run, made[run["id"]], len(group)), *islice(table, len(group)))
    ]


def _heading(run: Json, made: list[Json], count: int) -> str:
    label = f'"{run["label"]}"' if run["label"] else None
    status = _status_of(made) if made else run["status"]
    words = [run["id"], run["trigger"], label, status, counted(count, "service")]
    because = [f"by itself: {first_line(run['because'], 400)}"] if run["because"] else []
    return "  ".join([word for word in words if word] + [moment(run["createdAt"]), *because])


def _status_of(group: list[Json]) -> str:
    """What a run is as a whole (spec, 3.3)."""
    found = {str(each["status"]) for each in group}
    return next((status for status in _WORST_FIRST if status in found), "succeeded")


def _row(each: Json) -> tuple[str, ...]:
    return (
        each["id"],
        each["serviceName"],
        each["status"],
        each["promotionStage"],
        "active" if each["isActive"] else "inactive",
        moment(each["createdAt"]),
        first_line(each["failureMessage"]),
    )


def _returned(run: Json, each: Json) -> tuple[str, ...]:
    """A deployment of an earlier run, which a rollback has started again."""
    status = run["status"]
    return (
        each["id"],
        each["serviceName"],
        "returned" if status == Status.SUCCEEDED else status,
        NONE,
        "active" if each["isActive"] else "inactive",
        moment(run["completedAt"] or run["createdAt"]),
        first_line(run["failureMessage"]),
    )
