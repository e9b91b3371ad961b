"""A long past, made of a real one: the records of one deploy, copied under other names and times.

What a deploy leaves in the journal is the deployment, its run, its activation and some twenty
events. Each copy has all of them, so that the file is as large and as hard to read as the real one.
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.lines import stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Json = dict[str, Any]

_APART = timedelta(minutes=1)
_AT_ONCE = 5_000
_OPEN = '"seq":?'
_TIMES = ("created_at", "activated_at", "completed_at")


@dataclass(frozen=True, slots=True)
class Template:
    """What one deploy of one service has left: JSON as the journal has it."""

    run: Json
    deployment: Json
    events: tuple[str, ...]
    """Their numbers are left open."""
    activation: Json

    @property
    def ids(self) -> tuple[str, str, str]:
        """What is different in each copy: the run, the deployment, and the service in quotes."""
        name = self.deployment["service"]["name"]
        return self.run["id"], self.deployment["id"], f'"{name}"'


def template_of(journal: Path, run_id: str) -> Template:
    """Reads what a run of one service has left. No agent may have the journal."""
    with closing(sqlite3.connect(journal)) as connection:

        def read(statement: str, *values: str) -> list[str]:
            return [body for (body,) in connection.execute(statement, values)]

        (run,) = map(json.loads, read("SELECT body FROM runs WHERE id = ?", run_id))
        (id_,) = run["deployment_ids"]
        (deployment,) = read("SELECT body FROM deployments WHERE id = ?", id_)
        (activation,) = read("SELECT body FROM activations WHERE name = ?", f"{id_}.1")
        events = read("SELECT body FROM events WHERE run_id = ? ORDER BY seq", run_id)
    unnumbered = tuple(re.sub(r'"seq":\d+', _OPEN, each, count=1) for each in events)
    return Template(run, json.loads(deployment), unnumbered, json.loads(activation))


def lengthen(journal: Path, template: Template, count: int, services: Sequence[str]) -> None:
    """Adds so many deployments of these services, all of them over, before everything there is."""
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        (seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        began = datetime.now(UTC) - (count + 1) * _APART
        for first in range(0, count, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, count))
            _add(connection, template, numbers, services, began, seq)
            connection.commit()


def _add(
    connection: sqlite3.Connection,
    template: Template,
    numbers: range,
    services: Sequence[str],
    began: datetime,
    seq: int,
) -> None:
    runs, deployments, activations = [], [], []
    events: list[tuple[Any, ...]] = []
    for number in numbers:
        copy = _Copy(template, number, services[number % len(services)], began + number * _APART)
        runs.append(copy.run_row())
        deployments.append(copy.deployment_row())
        activations.append((f"{copy.deployment_id}.1", "gone", copy.text(template.activation)))
        events += copy.event_rows(seq + 1 + number * len(template.events))
    connection.executemany("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)", runs)
    places = ", ".join("?" * 11)
    connection.executemany(f"INSERT INTO deployments VALUES ({places})", deployments)
    connection.executemany("INSERT INTO activations VALUES (?, ?, ?)", activations)
    connection.executemany("INSERT INTO events VALUES (?, ?, ?)", events)


class _Copy:
    """One more deploy like that of a template, at another time."""

    def __init__(self, template: Template, number: int, service: str, at: datetime) -> None:
        self.run_id, self.deployment_id = f"drn_old{number:09}", f"dep_old{number:09}"
        self._template = template
        self._service = service
        self._replaced = dict(
            zip(template.ids, (self.run_id, self.deployment_id, f'"{service}"'), strict=True)
        )
        self._times = {
            name: stamp(at + timedelta(seconds=each)) for each, name in enumerate(_TIMES)
        }

    def text(self, body: Json | str) -> str:
        """A body of the template with the names of this copy."""
        text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
        for old, new in self._replaced.items():
            text = text.replace(old, new)
        return text

    def run_row(self) -> tuple[Any, ...]:
        """Its row in `runs`."""
        run = self._template.run
        times = {name: self._times[name] for name in ("created_at", "completed_at")}
        target = run["target"]
        found_by = (target["project"], target["environment"], run["status"], times["created_at"])
        return self.run_id, *found_by, self.text({**run, **times})

    def deployment_row(self) -> tuple[Any, ...]:
        """Its row in `deployments`; what it was made of is gone."""
        artifact = f"art_{self.deployment_id}"
        told = {**self._template.deployment, **self._times, "artifact_id": artifact}
        target = told["target"]
        return (
            *(self.deployment_id, self.run_id, target["project"], target["environment"]),
            *(self._service, told["status"], 0, artifact),
            *(self._times["created_at"], self._times["activated_at"], self.text(told)),
        )

    def event_rows(self, seq: int) -> Iterator[tuple[Any, ...]]:
        """Its rows in `events`, numbered from here on."""
        for number, event in enumerate(self._template.events, seq):
            yield number, self.run_id, self.text(event).replace(_OPEN, f'"seq":{number}', 1)
