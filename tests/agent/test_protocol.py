from __future__ import annotations

import json

import pytest

from core import errors
from core.agent.protocol import error_from_json, error_to_json
from core.engines.source.detect import NothingToRun
from core.errors import CompartmentError, ConfigError
from core.model import Problem

ALL = [
    found
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, CompartmentError)
]


@pytest.mark.parametrize("kind", ALL)
def test_an_error_arrives_as_it_was_raised(kind: type[CompartmentError]) -> None:
    sent = kind("it broke", hint="mend it", code="narrow")
    got = error_from_json(json.loads(json.dumps(error_to_json(sent))))
    assert type(got) is kind
    assert (got.message, got.hint, got.code) == ("it broke", "mend it", "narrow")


def test_problems_travel_along() -> None:
    problem = Problem("compartment.yml", 3, 5, "no", "yes", "web")
    got = error_from_json(error_to_json(ConfigError("1 problem", problems=[problem])))
    assert isinstance(got, ConfigError)
    assert got.problems == (problem,)


def test_an_engines_own_error_arrives_as_what_it_is_a_kind_of() -> None:
    assert type(error_from_json(error_to_json(NothingToRun("nothing")))) is ConfigError


def test_an_error_of_another_version_is_still_one() -> None:
    got = error_from_json({"kind": "Unheard", "message": "of"})
    assert (type(got), got.message) == (CompartmentError, "of")
