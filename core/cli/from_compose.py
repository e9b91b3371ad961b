"""`init --from-compose`: the equivalent of Compose files, as far as there is one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.exits import Exit
from core.cli.target import compose_options
from core.cli.text import plain
from core.errors import Conflict, UsageError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from core.cli.output import Output
    from core.config.compose.conversion.conversion import Conversion


def init_from_compose(arguments: Namespace, output: Output) -> int:
    """Writes a `compartment.yml` beside the first Compose file; never over another one."""
    from core.config.compose.conversion.conversion import convert_files
    from core.config.file_names import DESCRIPTOR_FILE, ROUTES_FILE
    from core.config.project import find_project

    options = compose_options(arguments)
    root = find_project(Path.cwd(), options)
    found = convert_files(root, options, arguments.name or arguments.project)
    file = found.folder / DESCRIPTOR_FILE
    if found.descriptor is None:
        raise UsageError(
            "nothing here is built from source, and a compartment.yml has no images",
            hint="deploy the Compose files as they are: compartment deploy",
        )
    routes = found.folder / ROUTES_FILE
    if found.routes and not file.exists():
        write_new(routes, found.routes)
    write_new(file, found.descriptor)
    document = {
        "file": str(file),
        "descriptor": found.descriptor,
        "routes": found.routes,
        "variables": list(found.variables),
        "losses": [asdict(each) for each in found.losses],
    }
    output.answer(document, lambda: _lines(file, found))
    return Exit.DONE


def write_new(file: Path, text: str) -> None:
    """Writes a file that is not there yet.

    Raises:
        Conflict: it is there.
    """
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise Conflict(
            f"{file.name} exists already and stays as it is", hint="check it: compartment validate"
        ) from None


def _lines(file: Path, found: Conversion) -> Iterator[str]:
    yield f"wrote {file}: from now on it comes before the Compose files beside it"
    if found.routes:
        yield "the rules of Traefik are in compartment.routes.yml beside it"
    if found.losses:
        yield "what it cannot say:"
        yield from (f"  {plain(str(each))}" for each in found.losses)
    if found.variables:
        yield "variables belong to an environment; set them before the first deploy:"
        yield from (f"  {plain(each)}" for each in found.variables)
    yield "next: compartment validate"
