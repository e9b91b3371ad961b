"""Sending a project's source along with the request that deploys it, or plans to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config.footprint import footprint
from core.config.project import load_project
from core.config.relocation import relocated
from core.sources.collecting import check_size, collect, megabytes
from core.sources.packing import list_files, pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.agent.client import Client
    from core.config.compose.options import ComposeOptions
    from core.model import Project
    from core.sources.collecting import Collected
    from core.sources.listing import Listing

    Say = Callable[[str], None]

Json = dict[str, Any]


async def with_source(
    client: Client, body: Json, project: Project, options: ComposeOptions, say: Say
) -> Json:
    """The request for a run as the agent can carry it out: where it is, there its source is, too.

    Args:
        client: Of an agent of this machine, which reads the folder itself, or of a server.
        body: As `core.cli.requests.deploy_body` makes it.
        project: What is deployed.
        options: Those that lead to it.
        say: Takes a line for the person.

    Raises:
        ConfigError: the source cannot be sent: it is too large, or not all in its folder.
        CompartmentError: the server does not take it.
    """
    if client.server is None:
        return body
    target = {name: body[name] for name in ("project", "environment")}
    there = await client.sources(target)
    collected = await asyncio.to_thread(_collected, project.root, options)
    for folder in sorted(collected.unsent):
        say(f"note: {folder} is not sent: git ignores it, and services write to it")
    check_size(collected, there["limitBytes"], client.server)
    listing = await asyncio.to_thread(list_files, collected)
    if listing.digest not in there["digests"]:
        await _send(client, target, collected, listing, say)
    moved: Json = relocated(body, project.root, Path(there["root"]))
    if project.is_compose:
        # Else its name would be that of its folder over there.
        moved["environ"] = {"COMPOSE_PROJECT_NAME": project.name, **moved["environ"]}
    return {**as_there(client, moved), "sourceDigest": listing.digest}


def as_there(client: Client, body: Json) -> Json:
    """A request for a run where the agent is: on a server, `PATH` and the like are its own."""
    return body if client.server is None else {**body, "isFromElsewhere": True}


def _collected(root: Path, options: ComposeOptions) -> Collected:
    # Read once more: what it is read from is part of the source.
    with footprint() as read:
        project = load_project(root, options)
    return collect(project, read)


async def _send(
    client: Client, target: Json, collected: Collected, listing: Listing, say: Say
) -> None:
    size = megabytes(sum(collected.sizes.values()))
    say(f"sending {len(listing.items)} files ({size}) to {client.server}")
    query = {**target, "digest": listing.digest, "writable": list(listing.writable)}
    await client.send_source(query, pack(collected.root, listing))
