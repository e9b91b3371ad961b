"""The three log streams, merged by time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.cli.exits import Exit
from core.cli.output import Form
from core.cli.target import ask, service_query
from core.cli.text import without_colour
from core.errors import UsageError
from core.logs.text import format_line

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncIterator

    from core.agent.client import Client
    from core.cli.output import Output

Json = dict[str, Any]


def logs(arguments: Namespace, output: Output) -> int:
    """Lines of what is active, of one service, or of one deployment."""
    if arguments.follow and output.form is Form.JSON:
        raise UsageError("--follow has no end, and --output json is one document at the end",
                         hint="use --output jsonl")  # fmt: skip
    query = service_query(arguments)
    target = {name: query[name] for name in ("project", "environment")}
    wanted = {
        **query,
        "deployment": arguments.deployment,
        "stream": arguments.stream or [],
        "tail": arguments.tail,
        "since": arguments.since.isoformat() if arguments.since else None,
        "grep": arguments.grep,
        "following": "true" if arguments.follow else None,
    }

    async def conversation(client: Client) -> None:
        lines = client.logs(wanted)
        if output.form is Form.JSON:
            found = [line async for line in lines]
            output.answer({**target, "lines": found}, list)
        elif output.form is Form.JSONL:
            async for line in lines:
                output.event(line)
        else:
            await _print(lines, await _service_width(client, arguments, query), output)

    ask(conversation)
    return Exit.DONE


async def _print(lines: AsyncIterator[Json], width: int | None, output: Output) -> None:
    async for line in lines:
        text = format_line(line, service_width=width)
        # Codes that are not undone at the end of a line would colour what follows.
        output.lines([f"{text}\x1b[0m" if output.has_colour else without_colour(text)])


async def _service_width(client: Client, arguments: Namespace, query: Json) -> int | None:
    """The width of the column of services; None where there is only one to see."""
    if arguments.service or arguments.deployment:
        return None
    found = await client.status(query)
    names = {str(each["serviceName"]) for each in found["deployments"]}
    return max(map(len, names)) if len(names) > 1 else None
