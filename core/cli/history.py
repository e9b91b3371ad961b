"""The history of deployments, grouped by run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.cli.exits import Exit
from core.cli.target import ask, service_query
from core.cli.text import columns, counted, first_line, moment

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output

Json = dict[str, Any]

_WORST_FIRST = ("failed", "running", "queued", "stopped")


def deployment_list(arguments: Namespace, output: Output) -> int:
    """The newest deployments, newest first."""
    query = {**service_query(arguments), "limit": arguments.limit}
    found = ask(lambda client: client.history(query))
    output.answer(found, lambda: _lines(found["deployments"], colour=output.has_colour))
    return Exit.DONE


def _lines(deployments: list[Json], *, colour: bool) -> list[str]:
    runs: dict[str, list[Json]] = {}
    for each in deployments:
        runs.setdefault(each["deploymentRunId"], []).append(each)
    # One table, so that the columns of all runs stand under each other.
    rows = columns(map(_row, deployments), colour=colour, indent="  ")
    by_id = {each["id"]: row for each, row in zip(deployments, rows, strict=True)}
    lines = []
    for run_id, group in runs.items():
        lines.append(_heading(run_id, group))
        group.sort(key=lambda each: str(each["serviceName"]))
        lines += [by_id[each["id"]] for each in group]
    return lines


def _heading(run_id: str, group: list[Json]) -> str:
    label = next((f'"{each["label"]}"' for each in group if each["label"]), None)
    words = [run_id, label, _status_of(group), counted(len(group), "service")]
    started = moment(min(each["createdAt"] for each in group))
    return "  ".join([word for word in words if word] + [started])


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
