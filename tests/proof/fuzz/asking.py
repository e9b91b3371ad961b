"""Requests that the agent's own description allows, and some that it does not; and their checks."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import requests
from hypothesis import strategies as st

with warnings.catch_warnings():
    # Theirs, on import.
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

if TYPE_CHECKING:
    from collections.abc import Mapping

    Case = schemathesis.Case[Any]

BASE: Final = "http://agent"
_CHECKS: Final = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_BUGS: Final = frozenset({"InternalError", "JournalError"})
_ENDS_IT: Final = "/v1/agent/stop"
_KNOWN: Final = 0.6
"""How often a value is one that there is."""


@dataclass(frozen=True)
class Asked:
    """A request, as the operation that it is of and as it is sent."""

    case: Case
    prepared: requests.PreparedRequest

    @property
    def method(self) -> str:
        return str(self.prepared.method)

    @property
    def target(self) -> str:
        """The path, with the query."""
        return self.prepared.path_url

    @property
    def headers(self) -> dict[str, str]:
        given = self.prepared.headers.items()
        return {str(name).lower(): str(value) for name, value in given if name.lower() != "host"}

    @property
    def body(self) -> bytes:
        found: Any = self.prepared.body or b""
        return found.encode() if isinstance(found, str) else bytes(found)

    def check(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """A reply is as the description says, and tells of no bug."""
        listed = {name: [value] for name, value in headers.items()}
        reply = schemathesis.Response(status, listed, body, self.prepared, 0.0, verify=False)
        self.case.validate_response(reply, checks=_CHECKS)
        if status != 200:
            error = json.loads(body)["error"]
            assert error["kind"] not in _BUGS, (self.method, self.target, self.body, error)
            assert error["message"]


@schemathesis.serializer("application/x-tar")
def _archive(_: schemathesis.SerializationContext, value: Any) -> Any:
    return {"data": value if isinstance(value, bytes) else str(value).encode()}


def cases(description: Mapping[str, Any], known: Mapping[str, Any]) -> st.SearchStrategy[Asked]:
    """Requests to every operation but the one that ends the agent.

    Args:
        description: What the agent says of itself.
        known: By the names of parameters: values that there are, so that a request gets further.
    """
    schema: Any = schemathesis.openapi.from_dict(dict(description))
    drawn = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == _ENDS_IT:
            continue
        drawn.append(operation.as_strategy())
        if list(operation.iter_parameters()) or operation.body:
            drawn.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    return st.tuples(st.one_of(drawn), st.randoms(use_true_random=False)).map(
        lambda pair: _asked(*pair, known)
    )


def _asked(case: Case, random: Any, known: Mapping[str, Any]) -> Asked:
    for given in (case.path_parameters, case.query, case.body):
        if isinstance(given, dict):
            for name in sorted(set(given) & known.keys()):
                if random.random() < _KNOWN:
                    given[name] = random.choice(known[name])
    options = case.as_transport_kwargs(base_url=BASE)
    return Asked(case, requests.Request(**options).prepare())
