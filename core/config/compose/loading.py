"""From the Compose files of a project to one model of it: the order in which that is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.config.compose.files import active_profiles, find_files
from core.config.compose.including import Projects
from core.config.compose.keys.completion import complete
from core.config.compose.keys.names import folder_name
from core.config.compose.keys.practice import written_secret
from core.config.compose.layers import Context, Layers
from core.config.compose.places import Places
from core.config.compose.profiles import with_profiles
from core.config.compose.report import Report, once
from core.config.compose.tree import leaf, plain
from core.config.compose.variables import with_variables
from core.config.document import mapping
from core.config.failure import config_error
from core.config.interpolation import BrokenTemplate, interpolate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from core.config.compose.files import Files
    from core.config.compose.options import ComposeOptions
    from core.config.compose.tree import Place
    from core.config.document import KeyPath
    from core.model import Problem

PROJECT_NAME = "COMPOSE_PROJECT_NAME"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A project as its Compose files describe it."""

    folder: Path
    """What its relative paths are relative to."""
    files: tuple[Path, ...]
    """Absolute, in their order, without those that are included or extended."""
    environ: Mapping[str, str]
    """What the files were read with: the caller's environment, and `.env` where that lacks it."""
    model: dict[str, Any]
    """In the shape of `docker compose config --format json`."""
    notes: tuple[Problem, ...]
    places: Places
    """Of what the files say; what completion added is not in it."""

    def place(self, path: KeyPath) -> Place:
        """Return the file and position of a value, else of the nearest thing around it."""
        return self.places.place(path)

    def problem(self, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        """Return a problem with the value at a path, naming the service that it is in."""
        return self.places.problem(path, message, hint)


def load_compose(root: Path, options: ComposeOptions) -> Loaded:
    """Return the project whose Compose files are in a folder, or are named by the options.

    Raises:
        ConfigError: Something is wrong; its `problems` are all of them, of all files.
    """
    report = Report(root)
    files = find_files(root, options, report)
    layers = Layers(report)
    environ = _with_name(files, layers)
    project = Projects(layers).project(files.paths, Context(files.folder, environ))
    if project is None:
        raise config_error(once(report.problems))
    profiles = active_profiles(options, environ)
    project = with_profiles(project, profiles, options.services, report)
    project = with_variables(project, environ, report)
    if files.environ.get(PROJECT_NAME):
        project.value["name"] = leaf(files.environ[PROJECT_NAME], project.place)
    if report.is_partial:
        raise config_error(once(report.problems))
    places = Places(project)
    completed = complete(plain(project), places, files.folder, environ.get)
    report.add_problems(_of_their_own(completed.problems, report))
    report.add_notes(completed.notes)
    report.add_notes(written_secret(map(layers.document, files.paths)))
    if report.problems:
        raise config_error(once(report.problems))
    notes = tuple(sorted(once(report.notes), key=lambda note: (note.file, note.line, note.column)))
    return Loaded(files.folder, files.paths, environ, completed.model, notes, places)


def _of_their_own(problems: Iterable[Problem], report: Report) -> list[Problem]:
    """Problems of what could be read: what a service seems to lack may be what could not be."""
    services = {each.service for each in report.problems if each.service}
    places = {(each.file, each.line, each.column) for each in report.problems}
    return [
        each
        for each in problems
        if each.service not in services and (each.file, each.line, each.column) not in places
    ]


def name_and_services(root: Path, options: ComposeOptions) -> tuple[str, tuple[str, ...]]:
    """Return what Compose calls a project and its services, without checking anything else.

    The name is empty where it cannot be known. What the files include or extend is not looked at.

    Raises:
        ConfigError: There are no files, or what names them makes no sense.
    """
    report = Report(root)
    files = find_files(root, options, report)
    layers = Layers(report)
    name = _with_name(files, layers).get(PROJECT_NAME, "")
    found = [mapping(mapping(layers.document(path).data).get("services")) for path in files.paths]
    services = tuple(dict.fromkeys(str(each) for services in found for each in services))
    return "" if report.problems else name, services


def _with_name(files: Files, layers: Layers) -> dict[str, str]:
    """The environment with the name of the project, which files may use: the last one wins."""
    environ = files.environ
    if environ.get(PROJECT_NAME):
        return environ
    name = folder_name(files.folder.name)
    for path in files.paths:
        data = layers.document(path).data
        found = data.get("name") if isinstance(data, dict) else None
        if isinstance(found, str):
            name = found
    try:
        return {**environ, PROJECT_NAME: interpolate(name, environ.get).text}
    except BrokenTemplate:
        # This is told where the file is interpolated.
        return environ
