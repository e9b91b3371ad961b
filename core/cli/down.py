"""Taking an environment down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.cli.exits import Exit
from core.cli.target import ask, compose_options, project_here, target_of
from core.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from core.agent.client import Client
    from core.cli.output import Output

Json = dict[str, Any]


def down(arguments: Namespace, output: Output) -> int:
    """Stops and removes instances: all, those of named services, or the orphans."""
    if arguments.volumes and (arguments.orphans or arguments.service):
        raise UsageError("--volumes goes with all services: name none")
    if arguments.orphans and arguments.service:
        raise UsageError("--orphans and --service cannot be used together")
    target = target_of(arguments)
    known = (
        frozenset(project_here(compose_options(arguments)).project.services)
        if arguments.orphans
        else None
    )

    async def conversation(client: Client) -> Json:
        services = arguments.service
        if known is not None:
            active = (await client.status(target))["activeDeployments"]
            services = [each["serviceName"] for each in active if each["serviceName"] not in known]
            if not services:
                return {**target, "stopped": []}
        output.progress("draining and stopping")
        return await client.down({**target, "services": services, "volumes": arguments.volumes})

    found = ask(conversation)
    output.answer(found, lambda: [_line(found, with_volumes=arguments.volumes)])
    return Exit.DONE


def _line(found: Json, *, with_volumes: bool) -> str:
    target = f"{found['project']}/{found['environment']}"
    rest = "; its volumes are deleted" if with_volumes else ""
    if not found["stopped"]:
        return f"nothing to stop in {target}{rest}"
    return f"stopped in {target}: {', '.join(found['stopped'])}{rest}"
