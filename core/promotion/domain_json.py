"""Domains as front ends see them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.certificates.expiry import Expiry
from core.promotion.renewals import due_at, record_expiry
from core.records import Tls

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from core.gateway.table import Ports
    from core.records import CertificateRecord, DomainRecord, Target

Json = dict[str, Any]

_HTTP_PORT, _HTTPS_PORT = 80, 443


def domain_json(record: DomainRecord, ports: Ports, now: datetime) -> Json:
    """Everything about a domain but its key."""
    return {
        "host": record.host,
        "project": record.target.project,
        "environment": record.target.environment,
        "serviceName": record.service,
        "url": url_of(record, ports),
        "tls": record.tls,
        "state": _state(record, now),
        "certificateFile": record.certificate_file,
        "keyFile": record.key_file,
        "certificate": _certificate(record.certificate) if record.certificate else None,
        "failureMessage": record.failure,
        "failedAt": record.failed_at,
        "nextTryAt": _next_try_at(record),
        "createdAt": record.created_at,
    }


def secure_url(
    records: Iterable[DomainRecord], target: Target, service: str, ports: Ports
) -> str | None:
    """Where a service is opened by TLS: at the first of its domains that has a certificate."""
    mine = [
        each
        for each in records
        if (each.target, each.service) == (target, service) and each.certificate
    ]
    if not mine or ports.https is None:
        return None
    return url_of(min(mine, key=lambda each: (each.created_at, each.host)), ports)


def url_of(record: DomainRecord, ports: Ports) -> str:
    """Where a domain is opened."""
    if record.tls is Tls.NONE:
        port = "" if ports.public == _HTTP_PORT else f":{ports.public}"
        return f"http://{record.host}{port}"
    port = "" if ports.https in (None, _HTTPS_PORT) else f":{ports.https}"
    return f"https://{record.host}{port}"


def _state(record: DomainRecord, now: datetime) -> str:
    """In a word: what comes first is worse."""
    expiry = record_expiry(record, now)
    if record.tls is Tls.NONE:
        return "plain"
    if expiry is Expiry.EXPIRED:
        return "expired"
    if record.failure:
        return "failing"
    if expiry is Expiry.SOON:
        return "expires soon"
    return "ok" if record.certificate else "pending"


def _certificate(record: CertificateRecord) -> Json:
    return {
        "issuer": record.issuer,
        "validFrom": record.valid_from,
        "validUntil": record.valid_until,
        "takenAt": record.taken_at,
    }


def _next_try_at(record: DomainRecord) -> str | None:
    """When an authority is asked for the next certificate."""
    if record.tls is not Tls.ACME:
        return None
    if record.next_try_at is None and record.certificate is None:
        return record.created_at
    return f"{due_at(record):%Y-%m-%dT%H:%M:%S.%f}Z"
