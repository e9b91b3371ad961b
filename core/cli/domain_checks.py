"""What `doctor` says of domains, as the agent knows them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from core.agent.client import Client
from core.cli.checks import Check, Level
from core.cli.text import counted, first_line, moment
from core.errors import CompartmentError

if TYPE_CHECKING:
    from core.files import Home

_ANSWER_TIMEOUT_S = 5.0
_FAILURE_WIDTH = 300


def domain_checks(home: Home) -> list[Check]:
    """One for each domain whose certificate needs somebody, else one for all; none without any."""
    domains = asyncio.run(_domains(home))
    found = [each for each in map(_check, domains) if each.level is not Level.OK]
    if found or not domains:
        return found
    return [Check("domains", Level.OK, f"{counted(len(domains), 'domain')}, nothing to be done")]


async def _domains(home: Home) -> list[dict[str, Any]]:
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S), Client.opened(home) as client:
            told = await client.domains({})
    except (CompartmentError, TimeoutError):
        return []  # the check of the agent says so
    domains: list[dict[str, Any]] = told["domains"]
    return domains


def _check(domain: dict[str, Any]) -> Check:
    name, state = f"domain {domain['host']}", domain["state"]
    until = moment(domain["certificate"]["validUntil"]) if domain["certificate"] else None
    mend = "renew its files; the agent takes them at once"
    if domain["tls"] == "acme":
        mend = f"it is tried again at {moment(domain['nextTryAt'])}"
    reason = first_line(domain["failureMessage"], _FAILURE_WIDTH)
    told = "; ".join(filter(None, (f"certificate valid until {until}" if until else "", reason)))
    match state:
        case "expired":
            return Check(name, Level.FAIL, f"its certificate expired at {until}; {reason}", mend)
        case "failing" | "expires soon":
            return Check(name, Level.WARNING, told, mend)
        case "pending":
            return Check(name, Level.WARNING, "there is no certificate yet", mend)
    return Check(name, Level.OK, told)
