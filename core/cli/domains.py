"""The commands for domains."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from core.cli.exits import Exit
from core.cli.target import ask, target_of
from core.cli.text import NONE, columns, first_line, moment
from core.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output

Json = dict[str, Any]


def add_domain(arguments: Namespace, output: Output) -> int:
    """Leads a host name to a service; a certificate that does not come yet is no failure."""
    certificate, key = arguments.certificate, arguments.key
    if (certificate is None) != (key is None):
        raise UsageError(
            "a certificate and its key belong together", hint="give --certificate and --key"
        )
    if arguments.acme and certificate is not None:
        raise UsageError(
            "a certificate comes from files or by ACME, not both",
            hint="leave --acme out, or --certificate and --key",
        )
    body = {
        **target_of(arguments),
        "service": arguments.service or "web",
        "certificateFile": _path(certificate, arguments),
        "keyFile": _path(key, arguments),
        "acme": arguments.acme,
    }
    told = ask(lambda client: client.add_domain(arguments.host_name, body))
    for warning in told["warnings"]:
        output.progress(f"warning: {warning}")
    domain = told["domain"]
    if domain["state"] in ("pending", "failing"):
        output.progress(f"warning: there is no certificate yet; {_next(domain)}")
    output.answer(told, lambda: [_added(domain)])
    return Exit.DONE


def _path(text: str | None, arguments: Namespace) -> str | None:
    """The file, by a path that leads to it from anywhere; a symlink stays one."""
    if text is None:
        return None
    if arguments.server is not None and not os.path.isabs(text):  # noqa: PTH117 - of a server
        raise UsageError(
            f"{text} is a file of the server, and needs an absolute path",
            hint="such as /etc/letsencrypt/live/shop.example.com/fullchain.pem",
        )
    return os.path.abspath(text)  # noqa: PTH100 - keeps links


def _added(domain: Json) -> str:
    return f"{domain['url']} leads to service {domain['serviceName']} of {_target(domain)}"


def _next(domain: Json) -> str:
    reason = first_line(domain["failureMessage"], 300)
    when = f"it is tried again at {moment(domain['nextTryAt'])}"
    return f"{reason}; {when}" if reason else when


def list_domains(arguments: Namespace, output: Output) -> int:
    """The domains of an environment, and how their certificates are."""
    told = ask(lambda client: client.domains(target_of(arguments)))
    output.answer(told, lambda: _lines(told, colour=output.has_colour))
    return Exit.DONE


def _lines(told: Json, *, colour: bool) -> list[str]:
    domains = told["domains"]
    if not domains:
        return [f"there are no domains in {told['project']}/{told['environment']}"]
    rows = [
        (
            each["url"],
            each["serviceName"],
            each["tls"],
            each["state"],
            moment(each["certificate"]["validUntil"]) if each["certificate"] else NONE,
            moment(each["nextTryAt"]),
        )
        for each in domains
    ]
    header = ("DOMAIN", "SERVICE", "TLS", "STATE", "VALID UNTIL", "NEXT TRY")
    failing = [
        f"{each['host']}: {first_line(each['failureMessage'], 300)} (at {moment(each['failedAt'])})"
        for each in domains
        if each["failureMessage"]
    ]
    return [*columns([header, *rows], colour=colour), *failing]


def remove_domain(arguments: Namespace, output: Output) -> int:
    """Lets a host name lead nowhere."""
    told = ask(lambda client: client.remove_domain(arguments.host_name, target_of(arguments)))
    output.answer(told, lambda: [f"removed {told['host']} from {_target(told)}; in force now"])
    return Exit.DONE


def _target(told: Json) -> str:
    return f"{told['project']}/{told['environment']}"
