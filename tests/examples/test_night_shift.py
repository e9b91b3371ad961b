"""The example of jobs, workers and crons is what its README says of it."""

from __future__ import annotations

from pathlib import Path

from core.config.project import load_project
from core.model import Condition, Dependency, ServiceKind, Strategy

EXAMPLE = Path(__file__).parents[2] / "examples" / "night-shift"


def test_its_services() -> None:
    services = load_project(EXAMPLE).services
    assert {name: each.kind for name, each in services.items()} == {
        "migrate": ServiceKind.JOB,
        "web": ServiceKind.WEB,
        "mailer": ServiceKind.WORKER,
        "report": ServiceKind.CRON,
    }
    after_migrate = (Dependency("migrate", Condition.COMPLETED),)
    assert services["web"].depends_on == services["mailer"].depends_on == after_migrate
    assert services["mailer"].strategy is Strategy.SINGLETON
