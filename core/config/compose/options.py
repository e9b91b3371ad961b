"""What a person says about Compose files beside the files themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ComposeOptions:
    """The flags of Compose; all paths are absolute."""

    files: tuple[str, ...] = ()
    """`-f`, in their order; empty: the usual names, with their override file."""
    env_files: tuple[str, ...] = ()
    """`--env-file`, in their order; empty: `.env` in the folder of the project."""
    profiles: tuple[str, ...] = ()
    """`--profile`, in addition to `COMPOSE_PROFILES`."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """The caller's environment: it is looked at before any `.env` file."""
    services: tuple[str, ...] = ()
    """Those named on the command line, whose profiles are on thereby."""
