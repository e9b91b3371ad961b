"""What is told of an event: its fields, and the text that they are sent as."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.config import templates
from core.notifications.occasions import status
from core.records import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.events import Event
    from core.promotion.ledger import Ledger
    from core.snapshots import Snapshots

Facts = dict[str, Any]
"""Values of all fields that a template may have, None where there is none."""

_LONGEST_MESSAGE: Final = 1500
"""In characters. Chat services refuse messages of more than 2,000 and upwards."""

_MAIN_SERVICE: Final = "web"


class Body(NamedTuple):
    """What is sent."""

    content: bytes
    type: str


async def facts_of(event: Event, occasion: str, ledger: Ledger, snapshots: Snapshots) -> Facts:
    """All that may be told of an event, without what has become a secret since.

    Raises:
        JournalError: the journal cannot be read.
    """
    mask = ledger.mask
    run = await ledger.journal.run(event.run_id) if event.run_id else None
    return _facts(
        id=event.seq,
        event=occasion,
        at=event.at,
        project=event.project,
        environment=event.environment,
        service=event.service_name,
        status=status(event) or None,
        trigger=str(run.trigger) if run else None,
        label=mask.mask(run.label) if run and run.label else None,
        message=_short(mask.mask(event.message)),
        run=event.run_id,
        deployment=event.deployment_id,
        url=_url(event, ledger, snapshots),
    )


def sample(at: str) -> Facts:
    """What is told by a test."""
    return _facts(
        id=0,
        event="test",
        at=at,
        project="example",
        environment="production",
        service=_MAIN_SERVICE,
        status="test",
        message='This is a test; nothing has happened. Special characters: " \\ < > & ü',
        url="http://example.localhost",
    )


def _facts(**given: Any) -> Facts:
    where = "/".join(filter(None, (given["project"], given["environment"])))
    where = " ".join(filter(None, (where, given["service"])))
    summary = ": ".join(filter(None, (where, given["message"].partition("\n")[0])))
    more = {"machine": socket.gethostname(), "summary": summary}
    return {name: {**given, **more}.get(name) for name in templates.FIELDS}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}..."


def _url(event: Event, ledger: Ledger, snapshots: Snapshots) -> str | None:
    if event.project is None or event.environment is None:
        return None
    active = ledger.active(Target(event.project, event.environment))
    found = active.get(event.service_name or _MAIN_SERVICE)
    return snapshots.url(found) if found else None


def body(template: str | None, facts: Mapping[str, Any]) -> Body:
    """What is sent: the template with its fields, else a JSON object of them."""
    if template is None:
        return Body(json.dumps(facts, ensure_ascii=False).encode(), "application/json")
    is_json = templates.is_json(template)
    text = templates.render(template, facts)
    return Body(text.encode(), "application/json" if is_json else "text/plain; charset=utf-8")
