"""Who may get to a service: everybody, or the users of its environment. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.gateway.table import User
from core.model import AccessMode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.model import Service
    from core.promotion.ledger import Ledger
    from core.records import Activation, Target

_NO_USER = (
    "it needs a login, and there is no user yet: until there is one, everybody gets 403"
    " (compartment user add NAME)"
)


def is_restricted(service: Service) -> bool:
    """Whether a service is for the users of its environment only."""
    return service.access_mode is AccessMode.AUTHENTICATED


def needs_login(
    ledger: Ledger, target: Target, serving: Mapping[str, Activation]
) -> frozenset[str]:
    """The services of an environment that ask for a login.

    What serves decides. Of a service of which nothing does it is what is active: it stands aside,
    and comes back.
    """
    found = {name: each.service for name, each in ledger.active(target).items()}
    for name, activation in serving.items():
        found[name] = ledger.deployments[activation.deployment_id].service
    return frozenset(name for name, service in found.items() if is_restricted(service))


def users_of(ledger: Ledger, target: Target) -> tuple[User, ...]:
    """Those who have a login, by name."""
    found = [each for each in ledger.users.values() if each.target == target]
    return tuple(User(each.name, each.digest) for each in sorted(found, key=lambda one: one.name))


def warnings_of(ledger: Ledger, target: Target, service: Service) -> tuple[str, ...]:
    """What is to be said before a service is deployed."""
    has_users = any(each.target == target for each in ledger.users.values())
    return (_NO_USER,) if is_restricted(service) and not has_users else ()
