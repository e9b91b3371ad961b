"""Host names, row by row of section 4.5 of the specification.

One deviation: the service `web` has its name in the host of every environment but production.
"""

from __future__ import annotations

import re

import pytest

from core.promotion.hosts import host_label
from core.records import Target

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""What a label of a host name may be (RFC 1123, 2.1)."""


@pytest.mark.parametrize(
    ("service", "project", "environment", "label"),
    [
        pytest.param("web", "shop", "production", "shop", id="web, production"),
        pytest.param("web", "shop", "staging", "web-shop-staging", id="web, other environment"),
        pytest.param("api", "shop", "production", "api-shop", id="other service, production"),
        pytest.param("api", "shop", "staging", "api-shop-staging", id="other service, other one"),
        pytest.param("site", "shop", "production", "site-shop", id="the name web decides, no kind"),
        pytest.param("web2", "shop", "production", "web2-shop", id="and all of the name"),
        pytest.param("web", "shop", "Staging", "web-shop-staging", id="lower case"),
        pytest.param("web", "shop", "PRODUCTION", "web-shop-production", id="only production is"),
        pytest.param("back_office", "shop", "production", "back-office-shop", id="others are -"),
        pytest.param("web", "shop", "a  b/c", "web-shop-a-b-c", id="several in a row are one"),
        pytest.param("web", "shop-", "production", "shop", id="trimmed"),
        pytest.param("web", "shop", "-x-", "web-shop-x", id="trimmed in an environment"),
    ],
)
def test_labels(service: str, project: str, environment: str, label: str) -> None:
    assert host_label(Target(project, environment), service) == label


@pytest.mark.parametrize(
    ("project", "environment"),
    [
        pytest.param("p" * 63, "production", id="a long project"),
        pytest.param("shop", "e" * 63, id="a long environment"),
        pytest.param("p" * 55, "-" * 5 + "x", id="cut at a hyphen"),
    ],
)
def test_a_label_over_63_characters_is_cut_and_ends_in_a_digest(
    project: str, environment: str
) -> None:
    target = Target(project, environment)
    labels = {host_label(target, service) for service in ("api", "api2", "a" * 63)}

    assert len(labels) == 3
    for label in labels:
        assert LABEL.fullmatch(label)
        assert len(label) <= 63
    assert re.fullmatch(r".*[a-z0-9]-[0-9a-f]{6}", host_label(target, "a" * 63))
    assert host_label(target, "api") in labels


def test_63_characters_are_not_cut() -> None:
    assert host_label(Target("p" * 59, "production"), "api") == f"api-{'p' * 59}"
    assert host_label(Target("p" * 60, "production"), "api").startswith(f"api-{'p' * 52}-")


@pytest.mark.parametrize("environment", ["..", "日本", "🚀", "-", " ", "/"])
def test_an_environment_of_which_nothing_is_left_does_not_look_like_production(
    environment: str,
) -> None:
    target = Target("shop", environment)

    assert re.fullmatch(r"api-shop-[0-9a-f]{6}", host_label(target, "api"))
    assert re.fullmatch(r"web-shop-[0-9a-f]{6}", host_label(target, "web"))
