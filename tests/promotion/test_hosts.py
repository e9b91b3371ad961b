from __future__ import annotations

import pytest

from core.promotion.hosts import host_label
from core.records import Target


@pytest.mark.parametrize(
    ("project", "environment", "service", "label"),
    [
        ("shop", "production", "web", "shop"),
        ("shop", "production", "api", "api-shop"),
        ("shop", "staging", "web", "web-shop-staging"),
        ("shop", "staging", "api", "api-shop-staging"),
        ("shop", "Feature/ÄB 1", "web", "web-shop-feature-b-1"),
        ("shop", "production", "back_office", "back-office-shop"),
    ],
)
def test_labels(project: str, environment: str, service: str, label: str) -> None:
    assert host_label(Target(project, environment), service) == label


def test_long_labels_are_cut_and_stay_apart() -> None:
    target = Target("p" * 60, "production")
    one, other = host_label(target, "first"), host_label(target, "first2")
    assert len(one) <= 63
    assert len(other) <= 63
    assert one != other
    assert one == host_label(target, "first")
