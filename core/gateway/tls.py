"""The TLS side of a listener, and the files in which Envoy finds certificates.

One filter chain for each host, chosen by the server name that a client sends. Certificate and key
stand together in a file of their own (filesystem SDS), so that a renewal is one rename: it changes
no listener, and cuts no connection.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from core.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Json = dict[str, Any]

SECURE = "https"

_TRANSPORT = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"
_INSPECTOR = "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
_HANDSHAKE_LIMIT = "15s"
_SEALED = "sealed"
_SEALED_HOST = "sealed.compartment.internal"
"""A server name that nobody sends: Envoy takes no listener without a chain."""


def listener_filters() -> list[Json]:
    """What reads the server name before a chain is chosen."""
    return [{"name": "envoy.filters.listener.tls_inspector", "typed_config": {"@type": _INSPECTOR}}]


def chains(hosts: Iterable[str], filters: list[Json], folder: Path) -> list[Json]:
    """One for each host. Who names another one, or none, or speaks no TLS, is closed.

    A chain stays as it is when others come and go, and with it its connections.
    """
    sealed = {
        "name": _SEALED,
        "filter_chain_match": {"server_names": [_SEALED_HOST], "transport_protocol": "tls"},
        "filters": filters,
    }
    return [sealed, *(_chain(host, filters, folder) for host in sorted(hosts))]


def hosts_of(listener: Json) -> list[str]:
    """The hosts that a listener has a chain for."""
    return [each["name"] for each in listener["filter_chains"] if each.get("name") != _SEALED]


def _chain(host: str, filters: list[Json], folder: Path) -> Json:
    source = {
        "path_config_source": {"path": str(_path(folder, host))},
        "resource_api_version": "V3",
    }
    context = {
        "@type": f"{_TRANSPORT}.DownstreamTlsContext",
        "common_tls_context": {
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "tls_certificate_sds_secret_configs": [{"name": host, "sds_config": source}],
        },
    }
    return {
        "name": host,
        "filter_chain_match": {"server_names": [host]},
        "filters": filters,
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context},
        "transport_socket_connect_timeout": _HANDSHAKE_LIMIT,
    }


def _path(folder: Path, host: str) -> Path:
    return folder / f"{host}.json"


class Secrets:
    """Certificates with their keys, by host, each in a file of 0600 in a private folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, host: str) -> bool:
        """Whether there is one: Envoy would refuse a listener that names a missing file."""
        return _path(self.folder, host).exists()

    def hosts(self) -> list[str]:
        """Those that have one."""
        return sorted(each.stem for each in self.folder.glob("*.json"))

    def content(self, host: str) -> bytes | None:
        """The file as it is, to put it back."""
        return _path(self.folder, host).read_bytes() if self.has(host) else None

    def put_back(self, host: str, content: bytes | None) -> None:
        """Makes the file what it was."""
        if content is None:
            self.remove(host)
        else:
            write_atomically(_path(self.folder, host), content)

    def read(self, host: str) -> tuple[str, str] | None:
        """The chain and the key; None where there is nothing that could be read."""
        try:
            secret = json.loads(_path(self.folder, host).read_bytes())["resources"][0]
            chain, key = (
                secret["tls_certificate"][part]["inline_string"]
                for part in ("certificate_chain", "private_key")
            )
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            return None
        return chain, key

    def write(self, host: str, version: str, chain_pem: str, key_pem: str) -> None:
        """Replaces what there is in one step. Raises OSError: the old one is untouched."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        secret = {
            "@type": f"{_TRANSPORT}.Secret",
            "name": host,
            "tls_certificate": {
                "certificate_chain": {"inline_string": chain_pem},
                "private_key": {"inline_string": key_pem},
            },
        }
        content = json.dumps({"version_info": version, "resources": [secret]})
        write_atomically(_path(self.folder, host), content.encode())

    def remove(self, host: str) -> None:
        """Forgets one, if it is there."""
        _path(self.folder, host).unlink(missing_ok=True)
