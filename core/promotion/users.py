"""Those who may get to the services of an environment that are not for everybody.

They are in force at once, unlike variables: who is removed has no login any more when the command
returns.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Final

from core.config.document import quote
from core.errors import NotFound, UsageError
from core.events import EventType
from core.promotion.ledger import target_event
from core.records import UserRecord, UserRemoved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.events import Event
    from core.journal import Record
    from core.promotion.routing import Router
    from core.records import Target

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}"
"""It goes to the service in a header, and stands before a colon in a login (RFC 7617, 2)."""

SHORTEST: Final = 12
_LONGEST: Final = 256


def names(router: Router, target: Target) -> list[str]:
    """The users of an environment, sorted."""
    return sorted(each.name for each in router.ledger.users.values() if each.target == target)


async def add(router: Router, target: Target, name: str, password: str) -> bool:
    """Gives somebody a login, or who has one another password; returns whether it is a new one.

    Raises:
        UsageError: the name or the password cannot be; nothing was changed.
        GatewayUnavailable: it is kept, but not in force yet.
    """
    _check_name(name)
    _check_password(password)
    record = UserRecord(target, name, digest_of(password))
    is_new = (target, name) not in router.ledger.users

    verb = "added" if is_new else "changed the password of"
    await _update(router, lambda: [record, _changed(target, f"{verb} {name}")])
    return is_new


async def remove(router: Router, target: Target, name: str) -> None:
    """Takes a login away.

    Raises:
        NotFound: there is no such user.
        GatewayUnavailable: it is kept, but not in force yet.
    """

    def change() -> Sequence[Record]:
        if (target, name) not in router.ledger.users:
            raise NotFound(
                f"there is no user {quote(name)} in {target}",
                hint=f"those there are: {', '.join(names(router, target)) or 'none'}",
                code="user_not_found",
            )
        return [UserRemoved(target, name), _changed(target, f"removed {name}")]

    await _update(router, change)


def digest_of(password: str) -> str:
    """What Envoy compares: an unsalted SHA-1, which is why a short password is refused."""
    digest = hashlib.sha1(password.encode()).digest()  # noqa: S324 - Envoy takes no other
    return "{SHA}" + base64.b64encode(digest).decode()


async def _update(router: Router, change: Callable[[], Sequence[Record]]) -> None:
    """Changes the users, and does not return before the gateway knows.

    A change that is refused is the moment to try again what the gateway did not take before.
    """
    try:
        await router.ledger.update(change)
    finally:
        await router.enforce()


def _changed(target: Target, what: str) -> Event:
    return target_event(EventType.USERS_CHANGED, target, f"users of {target}: {what}")


def _check_name(name: str) -> None:
    if not re.fullmatch(_NAME, name):
        raise UsageError(
            f"{quote(name)} cannot be the name of a user",
            hint="use 1 to 64 letters, digits and . _ @ + -, with a letter or digit first",
        )


def _check_password(password: str) -> None:
    """The message never has any of it."""
    if len(password) < SHORTEST:
        raise UsageError(
            f"the password is too short: it needs {SHORTEST} characters or more",
            hint="leave it out to have a strong one made",
        )
    if len(password) > _LONGEST:
        raise UsageError(f"the password is too long: it has more than {_LONGEST} characters")
    if not password.isprintable():
        raise UsageError(
            "the password has a character that nobody can type into a login",
            hint="use letters, digits, signs and spaces, on one line",
        )
