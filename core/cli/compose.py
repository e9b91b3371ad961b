"""Commands about Compose files alone, which need no agent and start none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.exits import Exit
from core.cli.output import Form
from core.cli.target import compose_options
from core.cli.text import columns

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output

Json = dict[str, Any]


def config(arguments: Namespace, output: Output) -> int:
    """Prints the normalised model of the Compose files, or one list from it."""
    from core.config.compose.loading import load_compose
    from core.config.project import find_project

    options = compose_options(arguments)
    if arguments.profiles:
        options = replace(options, profiles=("*",))
    loaded = load_compose(find_project(Path.cwd(), options), options)
    for note in loaded.notes:
        output.progress(f"note: {note}")
    wanted = _list(arguments, loaded.model)
    if wanted is None:
        print(dumped(loaded.model))
    else:
        output.answer(wanted, lambda: wanted)
    return Exit.DONE


def dumped(model: Json) -> str:
    """The model as a Compose file in JSON, which reads as the same model again."""
    kept = {key: _escaped(value) for key, value in model.items() if value != {}}
    return json.dumps(kept, indent=2, sort_keys=True)


def _escaped(value: Any) -> Any:
    """A value in which no dollar sign begins a variable; keys have none."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _escaped(inner) for key, inner in value.items()}
    return [_escaped(inner) for inner in value] if isinstance(value, list) else value


def _list(arguments: Namespace, model: Json) -> list[str] | None:
    """The one list that was asked for."""
    services = model["services"]
    if arguments.services:
        return sorted(services)
    if arguments.volumes:
        return sorted(model["volumes"])
    if arguments.images:
        name = model["name"]
        return sorted({each.get("image", f"{name}-{key}") for key, each in services.items()})
    if arguments.profiles:
        return sorted({name for each in services.values() for name in each.get("profiles") or ()})
    return None


def schema(output: Output) -> int:
    """Prints what is honoured of Compose."""
    from core.config.compose.keys.catalogue import rows

    found = rows()
    if output.form is Form.JSON:
        output.answer([{"key": r.key, "tier": r.tier, "how": r.words} for r in found], list)
        return Exit.DONE
    table = columns([("KEY", "TIER", "HOW"), *found], colour=output.has_colour)
    output.lines(table)
    return Exit.DONE
