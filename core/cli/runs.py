"""Commands that make, plan or stop a run."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from core.agent.client import Client
from core.cli import exits
from core.cli.exits import Exit
from core.cli.follow import Follower
from core.cli.plan_text import plan_lines
from core.cli.report import result_lines
from core.cli.requests import deploy_body, promote_body, rollback_body
from core.cli.signals import Signals
from core.cli.target import ask, compose_options, project_here, target_of
from core.cli.text import plain
from core.model import Trigger
from core.remote.where import agent_door

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output
    from core.cli.target import Here

Json = dict[str, Any]


def deploy(arguments: Namespace, output: Output) -> int:
    """Deploys from source."""
    return _from_source(Trigger.DEPLOY, arguments, output)


def redeploy(arguments: Namespace, output: Output) -> int:
    """Deploys from source, the unchanged too."""
    return _from_source(Trigger.REDEPLOY, arguments, output)


def rollback(arguments: Namespace, output: Output) -> int:
    """Starts kept deployments again."""
    body = rollback_body(
        target_of(arguments), arguments.service, to=arguments.to, wait_s=arguments.timeout
    )
    return _carry_out(body, arguments, output)


def promote(arguments: Namespace, output: Output) -> int:
    """Deploys what is active in one environment to another one."""
    body = promote_body(
        target_of(arguments)["project"],
        arguments.source,
        arguments.to,
        arguments.service,
        engine=arguments.engine,
        label=arguments.label,
        wait_s=arguments.timeout,
    )
    return _carry_out(body, arguments, output)


def plan(arguments: Namespace, output: Output) -> int:
    """What a deploy would do."""
    here = project_here(compose_options(arguments))
    body = _body_of(here, arguments, Trigger.DEPLOY)

    async def conversation(client: Client) -> Json:
        return await client.plan(await _as_there(client, body, here, output))

    found = ask(conversation)
    found["notes"] = [asdict(each) for each in here.project.notes]
    notes = [f"note: {plain(str(each))}" for each in here.project.notes]
    output.answer(found, lambda: [*plan_lines(found, colour=output.has_colour), *notes])
    return Exit.DONE


def cancel(arguments: Namespace, output: Output) -> int:
    """Stops a run before its switch."""

    async def conversation(client: Client) -> Json:
        await client.cancel(arguments.run)
        return await client.run_result(arguments.run)

    found = ask(conversation)
    is_cancelled = found["run"]["failureCode"] == "cancelled"
    end = "was cancelled" if is_cancelled else f"had come to its end: {found['run']['status']}"
    output.answer(found, lambda: [f"{arguments.run} {end}; {_STILL_SERVES}"])
    return Exit.DONE if is_cancelled else Exit.FAILED


_STILL_SERVES = "everything that was live still serves"
_WHY = "`compartment logs --service NAME` says why; deploy again when it is mended"


def _from_source(trigger: Trigger, arguments: Namespace, output: Output) -> int:
    here = project_here(compose_options(arguments))
    body = _body_of(here, arguments, trigger)
    return _carry_out(body, arguments, output, here)


async def _as_there(client: Client, body: Json, here: Here | None, output: Output) -> Json:
    """The body of a request as the agent can carry it out; what it deploys is sent along."""
    if client.server is None:
        return body
    # Imported here: at home it is of no use, and takes its time.
    from core.remote.sending import as_there, with_source

    if here is None:
        return as_there(client, body)
    return await with_source(client, body, here.project, here.options, output.progress)


def _body_of(here: Here, arguments: Namespace, trigger: Trigger) -> Json:
    return deploy_body(
        here.project,
        trigger,
        here.options,
        name=arguments.project,
        environment=arguments.env,
        services=arguments.service,
        engine=arguments.engine,
        label=getattr(arguments, "label", None),
        use_cache=not getattr(arguments, "no_cache", False),
        wait_s=arguments.timeout,
    )


def _carry_out(body: Json, arguments: Namespace, output: Output, here: Here | None = None) -> int:
    """Begins a run, and follows it unless it is to be left; `here` is what it deploys."""
    if arguments.detach:
        run = ask(lambda client: _submit(client, body, output, here))
        document = {**_named(run), "deploymentRunId": run["id"], "run": run}
        output.answer(document, lambda: [run["id"]])
        output.event(run)
        return Exit.DONE
    return asyncio.run(_follow(body, output, here))


async def _submit(client: Client, body: Json, output: Output, here: Here | None) -> Json:
    return await client.submit(await _as_there(client, body, here, output))


def _named(run: Json) -> Json:
    return {"project": run["project"], "environment": run["environment"]}


async def _follow(body: Json, output: Output, here: Here | None = None) -> int:
    signals = Signals()
    follower = Follower(output, signals)
    signals.leaving = lambda: _left(follower.run_id, output)
    with signals.caught():
        async with Client.connected(agent_door()) as client:
            if signals.first is None:
                # A first signal does not interrupt it: that would lose the run.
                run = await _submit(client, body, output, here)
            else:
                output.answer({"failureMessage": "stopped before the run began"}, list)
                return signals.exit_code
            target = f"{run['project']}/{run['environment']}"
            output.progress(f"{run['id']}: {run['trigger']} of {target}")
            found = await follower.follow(client, run["id"])
    if found is None:
        return _detached(run, signals, output)
    output.answer(found, lambda: result_lines(found, colour=output.has_colour))
    return _told(found, signals, output)


def _left(run_id: str | None, output: Output) -> None:
    run = f"run {run_id}" if run_id else "the run, if it has begun,"
    message = f"left at the second signal: {run} goes on, or is on its way back"
    output.failure(message, "look: compartment deployment list")
    output.answer({"deploymentRunId": run_id, "failureMessage": message}, list)


def _detached(run: Json, signals: Signals, output: Output) -> int:
    if signals.first is signal.SIGHUP:
        message = f"detached: run {run['id']} goes on in the agent"
    else:
        message = f"run {run['id']} is past the switch and goes on in the agent to its end"
    hint = f"watch it: compartment status --project {run['project']} --env {run['environment']}"
    output.failure(message, hint)
    document = {**_named(run), "deploymentRunId": run["id"], "run": run, "failureMessage": message}
    output.answer(document, list)
    return signals.exit_code


def _told(found: Json, signals: Signals, output: Output) -> int:
    """Says how a run ended; returns the exit code."""
    run = found["run"]
    if run["status"] == "failed":
        is_ours = signals.first is not None and run["failureCode"] == "cancelled"
        names = run["notServing"]
        hint = f"not serving: {', '.join(names)}: {_WHY}" if names else _STILL_SERVES
        output.failure(found["failureMessage"] or "the run failed", hint)
        return signals.exit_code if is_ours else exits.of_run(run)
    if run["cutRequests"]:
        output.progress(f"warning: {run['cutRequests']} requests were cut at the drain limit")
    return exits.of_run(run)
