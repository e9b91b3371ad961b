"""The tables of the journal, and where each record stands in them.

Each record is stored whole, as JSON, beside the few columns that it is found by.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from core.events import Event
from core.records import (
    Activation,
    Deployment,
    DomainRecord,
    DomainRemoved,
    EnvironmentRecord,
    Execution,
    HostRecord,
    Run,
    UserRecord,
    UserRemoved,
    VariableRecord,
    VariableRemoved,
)

Kept = (
    Run
    | Deployment
    | Activation
    | EnvironmentRecord
    | HostRecord
    | VariableRecord
    | UserRecord
    | DomainRecord
    | Execution
    | Event
)
"""What a row is made of."""
Removed = VariableRemoved | UserRemoved | DomainRemoved
"""What takes a row away."""
Record = Kept | Removed

VERSION = 4
TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, project TEXT, environment TEXT, status TEXT, created_at TEXT, body TEXT);
CREATE INDEX IF NOT EXISTS runs_by_target ON runs (project, environment, created_at);
CREATE INDEX IF NOT EXISTS runs_by_trigger
    ON runs (project, environment, json_extract(body, '$.trigger'), created_at);
CREATE INDEX IF NOT EXISTS runs_open ON runs (status) WHERE status IN ('queued', 'running');
CREATE TABLE IF NOT EXISTS deployments (
    id TEXT PRIMARY KEY, run_id TEXT, project TEXT, environment TEXT, service TEXT, status TEXT,
    is_active INTEGER, artifact_id TEXT, created_at TEXT, activated_at TEXT, body TEXT);
CREATE INDEX IF NOT EXISTS deployments_by_service
    ON deployments (project, environment, service, created_at);
CREATE INDEX IF NOT EXISTS deployments_by_time ON deployments (project, environment, created_at);
CREATE INDEX IF NOT EXISTS deployments_by_activation
    ON deployments (project, environment, service, activated_at) WHERE activated_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS deployments_returnable
    ON deployments (project, environment, service,
                    json_extract(body, '$.stage') = 'rolled_back', activated_at DESC)
    WHERE activated_at IS NOT NULL AND status = 'succeeded';
CREATE INDEX IF NOT EXISTS deployments_open
    ON deployments (status) WHERE status IN ('queued', 'running');
CREATE INDEX IF NOT EXISTS deployments_active ON deployments (is_active) WHERE is_active = 1;
CREATE INDEX IF NOT EXISTS deployments_by_run ON deployments (run_id);
CREATE TABLE IF NOT EXISTS activations (name TEXT PRIMARY KEY, state TEXT, body TEXT);
CREATE INDEX IF NOT EXISTS activations_by_state ON activations (state) WHERE state != 'gone';
CREATE TABLE IF NOT EXISTS environments (
    project TEXT, environment TEXT, body TEXT, PRIMARY KEY (project, environment));
CREATE TABLE IF NOT EXISTS hosts (host TEXT PRIMARY KEY, body TEXT);
CREATE TABLE IF NOT EXISTS variables (
    project TEXT, environment TEXT, service TEXT, name TEXT, body TEXT,
    PRIMARY KEY (project, environment, service, name));
CREATE TABLE IF NOT EXISTS users (
    project TEXT, environment TEXT, name TEXT, body TEXT, PRIMARY KEY (project, environment, name));
CREATE TABLE IF NOT EXISTS domains (host TEXT PRIMARY KEY, body TEXT);
CREATE TABLE IF NOT EXISTS executions (
    id TEXT PRIMARY KEY, project TEXT, environment TEXT, service TEXT, deployment_id TEXT,
    status TEXT, started_at TEXT, body TEXT);
CREATE INDEX IF NOT EXISTS executions_by_service
    ON executions (project, environment, service, started_at);
CREATE INDEX IF NOT EXISTS executions_running ON executions (status) WHERE status = 'running';
CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, run_id TEXT, body TEXT);
CREATE INDEX IF NOT EXISTS events_by_run ON events (run_id, seq);
CREATE INDEX IF NOT EXISTS events_by_target
    ON events (json_extract(body, '$.project'), json_extract(body, '$.environment'));
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS counters (body TEXT);
"""
SEVERAL_ADDRESSES = """
UPDATE activations
    SET body = json_set(body, '$.addresses', json_array(json_extract(body, '$.address')))
    WHERE json_extract(body, '$.address') IS NOT NULL;
"""
"""From version 1, when an activation had one instance, to version 2."""

ADAPTERS: dict[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind)
    for kind in (
        *(Run, Deployment, Activation, EnvironmentRecord, HostRecord),
        *(VariableRecord, UserRecord, DomainRecord, Execution, Event),
    )
}


def statement(record: Record) -> tuple[str, tuple[Any, ...]]:
    """What writes a record, or removes one, with its values."""
    if isinstance(record, Removed):
        return _removal(record)
    table, columns = _place(record)
    body = ADAPTERS[type(record)].dump_json(record).decode()
    places = ", ".join("?" * (len(columns) + 1))
    return f"INSERT OR REPLACE INTO {table} VALUES ({places})", (*columns, body)  # noqa: S608 - our names


def _removal(record: Removed) -> tuple[str, tuple[Any, ...]]:
    match record:
        case VariableRemoved():
            return (
                "DELETE FROM variables WHERE project = ? AND environment = ? AND service = ?"
                " AND name = ?",
                _variable_key(record),
            )
        case UserRemoved():
            return (
                "DELETE FROM users WHERE project = ? AND environment = ? AND name = ?",
                (record.target.project, record.target.environment, record.name),
            )
        case DomainRemoved():
            return "DELETE FROM domains WHERE host = ?", (record.host,)


def _place(record: Kept) -> tuple[str, tuple[Any, ...]]:
    """The table of a record, and the columns that it is found by, in the order of the schema."""
    match record:
        case Event():
            return "events", (record.seq, record.run_id)
        case Activation():
            return "activations", (record.name, record.state)
        case HostRecord():
            return "hosts", (record.host,)
        case DomainRecord():
            return "domains", (record.host,)
        case _:
            return _place_by_target(record)


def _place_by_target(
    record: Run | Deployment | EnvironmentRecord | VariableRecord | UserRecord | Execution,
) -> tuple[str, tuple[Any, ...]]:
    target = (record.target.project, record.target.environment)
    match record:
        case Run():
            return "runs", (record.id, *target, record.status, record.created_at)
        case Deployment():
            found_by = (record.service.name, record.status, int(record.is_active))
            times = (record.created_at, record.activated_at)
            return "deployments", (
                *(record.id, record.run_id, *target),
                *(*found_by, record.artifact_id, *times),
            )
        case EnvironmentRecord():
            return "environments", target
        case VariableRecord():
            return "variables", _variable_key(record)
        case UserRecord():
            return "users", (*target, record.name)
        case Execution():
            of_what = (record.service, record.deployment_id)
            return "executions", (record.id, *target, *of_what, record.status, record.started_at)


def _variable_key(record: VariableRecord | VariableRemoved) -> tuple[str, str, str, str]:
    """No service is the empty text, because SQLite takes no two NULLs for the same."""
    target = record.target
    return target.project, target.environment, record.service or "", record.name
