"""Domains over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import model_validator

from core.agent.bodies import AbsolutePath, Name, TargetBody
from core.model import DEFAULT_ENVIRONMENT
from core.promotion.domain_json import domain_json
from core.records import DomainRecord, Target, Tls

if TYPE_CHECKING:
    from fastapi import FastAPI

    from core.platform import Platform

Json = dict[str, Any]


class DomainBody(TargetBody):
    """Where a host name is to lead, and how it gets its certificate."""

    service: Name
    certificate_file: AbsolutePath | None = None
    key_file: AbsolutePath | None = None
    acme: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> DomainBody:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("a certificate and its key belong together")
        if self.acme and self.certificate_file:
            raise ValueError("a certificate comes from files or by ACME, not both")
        return self

    def record(self, host: str) -> DomainRecord:
        """As the platform takes it."""
        tls = Tls.ACME if self.acme else Tls.FILES if self.certificate_file else Tls.NONE
        return DomainRecord(
            host,
            self.target,
            self.service,
            tls,
            certificate_file=str(self.certificate_file) if self.certificate_file else None,
            key_file=str(self.key_file) if self.key_file else None,
        )


def add_domains(app: FastAPI, platform: Platform) -> None:
    """Adds `/v1/domains`."""

    def described(record: DomainRecord) -> Json:
        return domain_json(record, platform.gateway.ports, datetime.now(UTC))

    @app.get("/v1/domains")
    async def listed(project: str | None = None, environment: str = DEFAULT_ENVIRONMENT) -> Json:
        """Without a project: all there are."""
        target = Target(project, environment) if project else None
        return {
            "project": project,
            "environment": environment if project else None,
            "domains": [described(each) for each in platform.domains.of(target)],
        }

    @app.put("/v1/domains/{host:path}")
    async def added(host: str, body: DomainBody) -> Json:
        found = await platform.add_domain(body.record(host))
        return {"domain": described(found.record), "warnings": list(found.warnings)}

    @app.delete("/v1/domains/{host:path}")
    async def removed(host: str, project: str, environment: str = DEFAULT_ENVIRONMENT) -> Json:
        await platform.domains.remove(host, Target(project, environment))
        return {"host": host, "project": project, "environment": environment}
