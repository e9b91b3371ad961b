"""The bodies of requests to the agent, strict like everything that comes from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from core.config.compose.options import ComposeOptions
from core.model import DEFAULT_ENVIRONMENT, Trigger
from core.promotion.requests import Down, Request
from core.records import Target


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must hold printable characters only")
    return text


def _possible(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("must not hold a NUL character")
    return path


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("must be an absolute path")
    return path


def _texts(variables: Any) -> Any:
    """One error for all of them: a body has room for a million."""
    if isinstance(variables, dict) and not all(
        isinstance(each, str) for each in variables.values()
    ):
        raise ValueError("must have values that are text")
    return variables


def _variables(environ: dict[str, str]) -> dict[str, str]:
    """What a process can be given."""
    for name, value in environ.items():
        if not name or "=" in name or "\0" in name + value:
            raise ValueError("must hold names and values that variables can have")
    return environ


Variables = Annotated[dict[str, str], BeforeValidator(_texts)]
Label = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_printable)]
AbsolutePath = Annotated[Path, AfterValidator(_possible), AfterValidator(_absolute)]
Name = Annotated[str, Field(min_length=1, max_length=63), AfterValidator(_printable)]
Names = Annotated[list[Name], Field(default_factory=list, fail_fast=True)]
Paths = Annotated[list[AbsolutePath], Field(default_factory=list, fail_fast=True)]

_MOST_KEYS = 50


class Body(BaseModel):
    """What all bodies have in common."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _has_few_keys(cls, body: Any) -> Any:
        if isinstance(body, dict) and len(body) > _MOST_KEYS:
            raise ValueError(f"must not have more than {_MOST_KEYS} keys")
        return body


class TargetBody(Body):
    """A project and an environment."""

    project: Name
    environment: Name = DEFAULT_ENVIRONMENT

    @property
    def target(self) -> Target:
        """As the platform names it."""
        return Target(self.project, self.environment)


class RunBody(TargetBody):
    """A deploy, redeploy or rollback, or a plan for one."""

    trigger: Trigger
    services: Names
    root: AbsolutePath | None = None
    environ: Annotated[Variables, AfterValidator(_variables)] = Field(default_factory=dict)
    engine: str = "auto"
    label: Label | None = None
    use_cache: bool = True
    to: str | None = None
    source_environment: Name | None = None
    files: Paths
    env_files: Paths
    profiles: Annotated[list[Label], Field(default_factory=list, fail_fast=True)]
    wait_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    source_digest: str | None = None
    """Of the source that was sent for it; `root` is then the folder that it is kept in."""
    is_from_elsewhere: bool = False
    """Whether `environ` is that of another machine."""

    def request(self) -> Request:
        """As the platform takes it."""
        return Request(
            trigger=self.trigger,
            target=self.target,
            services=tuple(self.services),
            root=self.root,
            environ=self.environ,
            engine=self.engine,
            label=self.label,
            use_cache=self.use_cache,
            to=self.to,
            source=self._source,
            compose=self._compose,
            wait_s=self.wait_s,
        )

    @property
    def _compose(self) -> ComposeOptions:
        return ComposeOptions(
            tuple(str(each) for each in self.files),
            tuple(str(each) for each in self.env_files),
            tuple(self.profiles),
            self.environ,
            tuple(self.services),
        )

    @property
    def _source(self) -> Target | None:
        named = self.source_environment
        return Target(self.project, named) if named is not None else None


class ExecutionBody(TargetBody):
    """A job or a cron to be run now."""

    service: Name


class DownBody(TargetBody):
    """Services to take down; none named means all."""

    services: Names
    volumes: bool = False

    def request(self) -> Down:
        """As the platform takes it."""
        return Down(self.target, tuple(self.services), self.volumes)
