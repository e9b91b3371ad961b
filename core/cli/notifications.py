"""The commands for notifications, which are set in the settings file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from core.cli.exits import Exit
from core.cli.target import ask
from core.cli.text import columns, moment

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output

Json = dict[str, Any]

_WHEN_READ = "the agent reads them when it starts: compartment agent stop"


def list_notifications(_: Namespace, output: Output) -> int:
    """Who is told of what, and how that goes."""
    told = ask(lambda client: client.notifications())
    output.answer(told, lambda: _list_lines(told["notifications"]))
    return Exit.DONE


def _list_lines(found: list[Json]) -> list[str]:
    rows = [
        (
            each["recipient"],
            ", ".join(each["on"]),
            "/".join([_names(each["projects"]), _names(each["environments"])]),
            str(each["told"]),
            _state(each),
        )
        for each in found
    ]
    return columns([("TO", "ON", "OF", "TOLD", "STATE"), *rows], colour=False) if rows else _none()


def _names(names: list[str]) -> str:
    return ",".join(names) or "*"


def _state(notification: Json) -> str:
    if notification["failure"] is not None:
        return f"{notification['failure']} (since {moment(notification['failingSince'])})"
    if notification.get("retrying") is not None:  # an earlier agent says nothing of it
        return f"trying again: {notification['retrying']}"
    return "ok"


def try_notifications(_: Namespace, output: Output) -> int:
    """Tells everybody something that has not happened, and says how that went."""
    told = ask(lambda client: client.test_notifications())
    failed = [each for each in told["notifications"] if each["failure"] is not None]
    message = "; ".join(f"{each['recipient']}: {each['failure']}" for each in failed) or None
    document = {**told, "failureMessage": message}
    output.answer(document, lambda: _test_lines(told["notifications"]))
    return Exit.FAILED if failed else Exit.DONE


def _test_lines(found: list[Json]) -> list[str]:
    rows = [
        (each["recipient"], "told" if each["failure"] is None else f"FAILED: {each['failure']}")
        for each in found
    ]
    return columns(rows, colour=False) if rows else _none()


def _none() -> list[str]:
    # Imported here: where there are some, the settings are the agent's alone.
    from core.config.settings import settings_file

    return [f"no notifications are set in {settings_file(os.environ)}; {_WHEN_READ}"]
