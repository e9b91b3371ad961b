"""The shape and the rules of `compartment.routes.yml`; what they do is in `routes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from core.config.document import describe, did_you_mean, quote
from core.config.fields import RequestPath, ServiceName, StrictModel, broken_rule
from core.config.routes import prefix_of
from core.model import RouteRule, Transform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.config.document import Document, KeyPath
    from core.model import Problem, ServiceKind

Method = Literal["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


def _version_1(value: Any) -> Any:
    # A literal of pydantic takes 1.0 and true for 1.
    if type(value) is not int or value != 1:
        raise broken_rule(f"must be 1, not {describe(value)}")
    return value


class RouteRuleModel(StrictModel):
    """One rule; at most one of stripPrefix, replacePrefix and rewrite."""

    on: ServiceName = Field(description="The service that receives the request.")
    path: RequestPath = Field(
        description="The exact path, or with /* at its end the prefix and everything below it."
    )
    to: ServiceName = Field(description="The service that handles the request.")
    methods: Annotated[list[Method], Field(min_length=1)] | None = Field(
        None, description="The methods that the rule takes; all of them if absent."
    )
    strip_prefix: RequestPath | None = Field(
        None, description="Removed from the path; exactly the prefix of the rule's path."
    )
    replace_prefix: RequestPath | None = Field(
        None, description="Stands in the place of the prefix of the rule's path."
    )
    rewrite: RequestPath | None = Field(None, description="Stands in the place of the whole path.")


class RoutesModel(StrictModel):
    """The rules for requests that one service receives and another one handles."""

    version: Annotated[Literal[1], BeforeValidator(_version_1)] = Field(
        description="The version of this file's format."
    )
    routes: list[RouteRuleModel] = Field(
        min_length=1, description="The rules; the first one that matches takes the request."
    )


def route_rules(model: RoutesModel) -> tuple[RouteRule, ...]:
    """Return the rules of the file in their order."""
    return tuple(_route_rule(rule) for rule in model.routes)


def _route_rule(model: RouteRuleModel) -> RouteRule:
    values = {
        Transform.REWRITE: model.rewrite,
        Transform.STRIP_PREFIX: model.strip_prefix,
        Transform.REPLACE_PREFIX: model.replace_prefix,
    }
    transform = next((name for name, value in values.items() if value is not None), None)
    value = values[transform] if transform else None
    return RouteRule(model.on, model.path, model.to, tuple(model.methods or ()), transform, value)


def broken_rules(
    document: Document, kinds: Mapping[str, ServiceKind | None] | None
) -> Iterator[Problem]:
    """Yield what is wrong with the rules beyond the shape of their parts.

    Args:
        document: The file.
        kinds: The services of the project, as `service_kinds` returns them.
    """
    routes = document.data.get("routes") if isinstance(document.data, dict) else None
    for index, rule in enumerate(routes if isinstance(routes, list) else []):
        if isinstance(rule, dict):
            yield from _transforms(document, ("routes", index), rule)
            yield from _services(document, ("routes", index), rule, kinds)


def _transforms(document: Document, path: KeyPath, rule: dict[str, Any]) -> Iterator[Problem]:
    given = [name.value for name in Transform if name in rule]
    if len(given) > 1:
        last = "rewrite" if "rewrite" in given else given[-1]
        yield document.problem(
            (*path, last),
            f"{' and '.join(map(quote, given))} cannot be used together",
            hint="keep one of them",
            at_key=True,
        )
    for name in given:
        if isinstance(rule[name], str) and rule[name].endswith("/*"):
            message = f'{quote(name)} must not end with "/*": it is one concrete path'
            yield document.problem((*path, name), message)
    if not isinstance(rule.get("path"), str):
        return
    prefix = prefix_of(rule["path"])
    for name in (Transform.STRIP_PREFIX, Transform.REPLACE_PREFIX):
        if name in rule and prefix is None:
            message = f'{quote(name)} needs a path that ends with "/*"'
            yield document.problem((*path, "path"), message)
    strip = rule.get(Transform.STRIP_PREFIX)
    if isinstance(strip, str) and prefix is not None and strip != prefix:
        message = f'"stripPrefix" must be exactly the prefix of the path, {quote(prefix)}'
        yield document.problem((*path, "stripPrefix"), message)


def _services(
    document: Document,
    path: KeyPath,
    rule: dict[str, Any],
    kinds: Mapping[str, ServiceKind | None] | None,
) -> Iterator[Problem]:
    for key in ("on", "to"):
        name = rule.get(key)
        if kinds is None or not isinstance(name, str):
            continue
        kind = kinds.get(name)
        if name not in kinds:
            hint = did_you_mean(name, kinds)
            yield document.problem((*path, key), f"there is no service {quote(name)}", hint=hint)
        elif kind is not None and not kind.is_routable:
            message = f"the service {quote(name)} is of kind {kind}, which takes no requests"
            hint = "only web and api services are routable"
            yield document.problem((*path, key), message, hint=hint)
