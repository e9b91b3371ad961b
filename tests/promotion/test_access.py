"""Who may get to a service: what the gateway is told, and what a plan says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from core.container import Container, Protocol, Published
from core.errors import Conflict
from core.gateway.table import User
from core.model import AccessMode, EngineName, Service, ServiceKind
from core.promotion.access import warnings_of
from core.promotion.doors import check_access
from core.promotion.plan import Situation, Wanted, plan_service
from core.promotion.serving import table
from core.promotion.users import digest_of
from core.records import (
    Activation,
    ActivationState,
    Deployment,
    EnvironmentRecord,
    HostRecord,
    ServedPort,
    Target,
    UserRecord,
    UserRemoved,
)
from tests.promotion.records import TARGET, deployment
from tests.promotion.test_compose_serving import Hosts, ledger_of

if TYPE_CHECKING:
    from core.gateway.table import Entrance, Site
    from core.promotion.ledger import Ledger

PUBLIC, AUTHENTICATED = AccessMode.PUBLIC, AccessMode.AUTHENTICATED
STAGING = Target(TARGET.project, "staging")
LIVE, CANDIDATE, ASIDE = ActivationState.LIVE, ActivationState.CANDIDATE, ActivationState.ASIDE


def deployed(name: str, mode: AccessMode, id_: str | None = None, **fields: Any) -> Deployment:
    kind = ServiceKind.WEB if name == "web" else ServiceKind.API
    service = Service(name, ".", kind, mode)
    return deployment(id=id_ or f"dep_{name}", service=service, is_active=True, **fields)


def serving(found: Deployment, state: ActivationState = LIVE) -> Activation:
    return Activation(found.id, 1, state, "", addresses=(("127.0.0.1", 20_000),))


def ledger_with(*records: Any) -> Ledger:
    hosts = [
        HostRecord(f"{name}.localhost", TARGET, name, name == "web", 21_000 + at)
        for at, name in enumerate(("web", "api"))
    ]
    return ledger_of(EnvironmentRecord(TARGET, EngineName.PROCESS, "/"), *hosts, *records)


def sites(ledger: Ledger, *incoming: Activation) -> list[Site]:
    return list(table(ledger, cast("Any", Hosts()), incoming).sites)


def test_every_host_of_an_environment_knows_who_asks_for_a_login_and_who_may_pass() -> None:
    web, api = deployed("web", PUBLIC), deployed("api", AUTHENTICATED)
    users = (
        UserRecord(TARGET, "bob", "{SHA}b"),
        UserRecord(TARGET, "ann", "{SHA}a"),
        UserRecord(STAGING, "eve", "{SHA}e"),
    )
    ledger = ledger_with(web, api, serving(web), serving(api), *users)
    for site in sites(ledger):
        assert site.needs_login == {"api"}
        assert site.users == (User("ann", "{SHA}a"), User("bob", "{SHA}b"))
    ledger._fold(UserRemoved(TARGET, "ann"))
    assert {site.users for site in sites(ledger)} == {(User("bob", "{SHA}b"),)}
    assert "{SHA}" not in repr(sites(ledger))


def test_users_are_told_only_where_they_are_asked_for() -> None:
    web = deployed("web", PUBLIC)
    ledger = ledger_with(web, serving(web), UserRecord(TARGET, "ann", "{SHA}a"))
    assert {(site.needs_login, site.users) for site in sites(ledger)} == {(frozenset(), ())}


@pytest.mark.parametrize(("before", "after"), [(PUBLIC, AUTHENTICATED), (AUTHENTICATED, PUBLIC)])
def test_what_serves_decides(before: AccessMode, after: AccessMode) -> None:
    old = deployed("web", before, "dep_old")
    new = replace(deployed("web", after, "dep_new"), is_active=False)
    candidate = serving(new, CANDIDATE)
    ledger = ledger_with(old, new, serving(old), candidate)
    asked = {AUTHENTICATED: {"web"}, PUBLIC: set()}
    assert {site.needs_login for site in sites(ledger)} == {frozenset(asked[before])}
    # It is in force with the switch, and not before.
    assert {site.needs_login for site in sites(ledger, candidate)} == {frozenset(asked[after])}


def test_a_login_is_asked_for_while_nothing_serves() -> None:
    web = deployed("web", AUTHENTICATED)
    for activations in ([], [serving(web, ASIDE)]):
        found = sites(ledger_with(web, *activations))
        assert {(site.needs_login, len(site.live)) for site in found} == {(frozenset({"web"}), 0)}


def published(mode: AccessMode, spoken: Protocol, *users: UserRecord) -> Entrance:
    container = Container(image="x", published=(Published(9000, 18_000),))
    service = Service("app", "", ServiceKind.WEB, mode, container=container)
    found = deployment(service=service, is_active=True)
    activation = Activation(
        found.id, 1, LIVE, "", addresses=(("10.0.0.1", 9000),),
        ports=(ServedPort(9000, spoken, (("10.0.0.1", 9000),)),),
    )  # fmt: skip
    records = (EnvironmentRecord(TARGET, EngineName.DOCKER, "/"), found, activation, *users)
    (entrance,) = table(ledger_of(*records), cast("Any", Hosts())).entrances
    return entrance


def test_a_published_port_is_for_those_who_may_pass() -> None:
    ann = UserRecord(TARGET, "ann", "{SHA}a")
    found = published(AUTHENTICATED, Protocol.HTTP, ann)
    assert (found.users, found.upstream) == ((User("ann", "{SHA}a"),), "dep_aaaaaaaaaaaa.1")
    assert published(AUTHENTICATED, Protocol.HTTP).users == ()
    assert published(PUBLIC, Protocol.HTTP, ann).users is None


def test_where_no_login_can_be_asked_for_nobody_comes_in() -> None:
    open_, shut = published(PUBLIC, Protocol.TCP), published(AUTHENTICATED, Protocol.TCP)
    assert (open_.upstream, shut.upstream) == ("dep_aaaaaaaaaaaa.1-9000.tcp", None)


@pytest.mark.parametrize(
    ("mode", "number", "spoken", "is_refused"),
    [
        (AUTHENTICATED, 9000, Protocol.TCP, True),
        (AUTHENTICATED, 9000, Protocol.HTTP, False),
        (AUTHENTICATED, 9001, Protocol.TCP, False),
        (PUBLIC, 9000, Protocol.TCP, False),
    ],
)
def test_a_candidate_that_is_published_for_plain_tcp(
    mode: AccessMode, number: int, spoken: Protocol, *, is_refused: bool
) -> None:
    container = Container(image="x", published=(Published(9000, 18_000),))
    service = Service("app", "", ServiceKind.WEB, mode, container=container)
    ports = [ServedPort(number, spoken, (("10.0.0.1", number),))]
    if is_refused:
        with pytest.raises(Conflict, match="port 9000 speaks plain TCP, where no login can be"):
            check_access(service, ports)
    else:
        check_access(service, ports)


def test_a_plan_warns_until_there_is_a_user() -> None:
    shut, open_ = Service("web", ".", access_mode=AUTHENTICATED), Service("web", ".")
    ledger = ledger_of(UserRecord(STAGING, "eve", "{SHA}e"))
    (warning,) = warnings_of(ledger, TARGET, shut)
    assert warning.startswith("it needs a login, and there is no user yet: until")
    assert warnings_of(ledger, TARGET, open_) == warnings_of(ledger, STAGING, shut) == ()


def test_another_access_mode_is_another_configuration() -> None:
    before = deployment(service=Service("web", "."), is_active=True)
    wanted = Wanted(Service("web", ".", access_mode=AUTHENTICATED), (), "art_0", is_built=True)
    planned = plan_service(wanted, Situation(before, is_serving=True), cast("Any", "deploy"))
    assert (planned.because, planned.as_json()["accessMode"]) == (
        "the configuration changed",
        "authenticated",
    )


def test_the_digest_is_that_of_htpasswd() -> None:
    # htpasswd -nbs ann password
    assert digest_of("password") == "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="
