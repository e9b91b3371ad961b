"""Clusters, listeners and the bootstrap of Envoy, as the JSON that it reads. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.gateway import access, bounds, paths, tls
from core.gateway.routes import ENTRANCE_HEADER, ROUTES, VERSION_HOST, through
from core.gateway.table import (
    ENTRANCES,
    INTERNAL,
    PAGES,
    PUBLIC,
    STREAMS_SUFFIX,
    TCP_SUFFIX,
    UNLIMITED,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from core.gateway.table import Check, Door, Entrance, Ports, Upstream

Json = dict[str, Any]

HTTP_CONNECTIONS = "envoy.filters.network.http_connection_manager"
TCP_PROXY = "envoy.filters.network.tcp_proxy"

_NOBODY = "nobody"
"""A cluster that never is."""

_UPSTREAM_IDLE_S = 1
"""Common servers close an idle connection after 2 to 5 s; one reused at that moment would reset."""

_SOON_S = 0.5
"""The longest that what has failed a check waits for the next one."""

_NONE_IS_HEALTHY = 1
"""In percent: when fewer are healthy, all get requests; any reply is better than none."""

_API = "type.googleapis.com/envoy"
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

_RETRY_BEFORE_SENT = {
    "retry_on": "connect-failure,reset-before-request",
    "num_retries": 3,
    "retry_back_off": {"base_interval": "0.010s", "max_interval": "0.100s"},
    # Of several instances another one is tried, before the gateway knows that one has died.
    "retry_host_predicate": [
        {
            "name": "previous",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3"
                ".PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 5,
}
"""Only what provably never reached the instance is sent again: a POST is never sent twice."""

_STATISTICS = [
    r"cluster\..*\.upstream_rq_(active|pending_active|completed|total|[1-5]xx)",
    r"cluster\..*\.circuit_breakers\.default\.remaining_retries",
    rf"cluster\..*{re.escape(TCP_SUFFIX)}\.upstream_cx_(active|total)",
    r"cluster\..*\.upstream_cx_destroy_remote_with_active_rq",
    r"cluster\..*\.upstream_rq_time",
    r"cluster_manager\.(warming_clusters|cds\.(version_text|update_rejected))",
    r"listener_manager\.(lds\.(version_text|update_rejected)|listener_create_failure)",
]
"""What is drained by, acknowledged by or shown; a thousand clusters stay cheap without the rest."""


def cluster(name: str, upstream: Upstream, check: Check | None, events: Path | None) -> Json:
    """A cluster with fixed addresses; what its checks find is written to `events`."""
    endpoints = [
        {
            "endpoint": {
                "address": {"socket_address": {"address": host, "port_value": port}},
                # The host that a readiness check names, too.
                "health_check_config": {"hostname": f"{host}:{port}"},
            }
        }
        for host, port in upstream.addresses
    ]
    limits = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    return {
        "@type": f"{_API}.config.cluster.v3.Cluster",
        "name": name,
        "type": "STATIC",
        "connect_timeout": "10s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
        "circuit_breakers": {
            # A request between two tries is nowhere else than in what remains of the retries.
            "thresholds": [{**dict.fromkeys(limits, UNLIMITED), "track_remaining": True}]
        },
        "common_lb_config": {
            "healthy_panic_threshold": {"value": _NONE_IS_HEALTHY},
            # Envoy would keep back what its checks have found for a second after each change.
            "update_merge_window": "0s",
        },
        "health_checks": [_health_check(check, events)] if check else [],
        "typed_extension_protocol_options": {
            _HTTP_OPTIONS: {
                "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
                "common_http_protocol_options": {"idle_timeout": f"{_UPSTREAM_IDLE_S}s"},
                "explicit_http_config": {"http_protocol_options": {}},
                "retry_policy": _RETRY_BEFORE_SENT,
            }
        },
    }


def _health_check(check: Check, events: Path | None) -> Json:
    """One failure is enough, in both directions: who crashed must not get the next request."""
    pause, soon = f"{check.interval_s:g}s", f"{min(check.interval_s, _SOON_S):g}s"
    http = {"path": check.path, "expected_statuses": [{"start": 200, "end": 300}]}
    return {
        "timeout": f"{check.timeout_s:g}s",
        # Envoy counts every cluster as one without traffic, because the statistic that tells them
        # apart is not kept: these two are the pauses that it takes.
        "no_traffic_healthy_interval": pause,
        "no_traffic_interval": soon,
        "interval": pause,
        "unhealthy_interval": soon,
        "unhealthy_threshold": 1,
        "healthy_threshold": 1,
        # A server may close a kept connection at the moment of the next check.
        "reuse_connection": check.interval_s <= _UPSTREAM_IDLE_S,
        **({"tcp_health_check": {}} if check.path is None else {"http_health_check": http}),
        "event_logger": [_event_file(events)] if events else [],
    }


def _event_file(path: Path) -> Json:
    sink = f"{_API}.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink"
    return {"name": "file", "typed_config": {"@type": sink, "event_log_path": str(path)}}


def pages_cluster(socket: Path) -> Json:
    """The cluster of the agent's own pages, which is there whether an agent runs or not."""
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(socket)}}}}
    return {
        "@type": f"{_API}.config.cluster.v3.Cluster",
        "name": PAGES,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": PAGES, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def clusters(upstreams: tuple[Upstream, ...], events: Path) -> list[Json]:
    """Two clusters for each upstream: one for requests, its twin for long streams.

    The first one tells what its checks find. The twin is checked where there is a choice only. One
    that takes connections is alone, and never checked: a server may count those that say nothing.
    """
    return [each for upstream in upstreams for each in _pair(upstream, events)]


def _pair(upstream: Upstream, events: Path) -> tuple[Json, ...]:
    if upstream.is_tcp:
        return (cluster(upstream.name, upstream, None, None),)
    has_choice = len(upstream.addresses) > 1
    return (
        cluster(upstream.name, upstream, upstream.check, events),
        cluster(
            upstream.name + STREAMS_SUFFIX, upstream, upstream.check if has_choice else None, None
        ),
    )


def listeners(folder: Path, ports: Ports) -> list[Json]:
    """The public and the internal listener."""
    public, internal = (
        _listener(name, _socket(host, port), _connections(name, folder, _from_outside(name)))
        for name, host, port in (
            (PUBLIC, ports.host, ports.public),
            (INTERNAL, "127.0.0.1", ports.internal),
        )
    )
    return [public, _unbounded(internal)]


def secure_listeners(folder: Path, ports: Ports, hosts: Iterable[str], secrets: Path) -> list[Json]:
    """The listener for TLS, if there is a port for it. It has the routes of the public one."""
    if ports.https is None:
        return []
    connections = _connections(PUBLIC, folder, _from_outside(PUBLIC))
    listener = _listener(tls.SECURE, _socket(ports.host, ports.https), connections)
    (chain,) = listener["filter_chains"]
    return [
        {
            **listener,
            "listener_filters": tls.listener_filters(),
            "filter_chains": tls.chains(hosts, chain["filters"], secrets),
        }
    ]


def _from_outside(way: str) -> Json:
    return {
        "use_remote_address": True,
        **_early(_came_in(f"{way}/%REQ(:authority)%"), access.forget_claims()),
        **bounds.of_connections(),
    }


def _unbounded(listener: Json) -> Json:
    """One that the number of connections from outside means nothing to."""
    return {**listener, "ignore_global_conn_limit": True}


def entrance_listeners(folder: Path, socket: Path, entrances: tuple[Entrance, ...]) -> list[Json]:
    """A listener for each port of an entrance, and one at `socket` that tells their version."""
    found = [_door(folder, each, door) for each in entrances for door in each.doors]
    pipe = {"pipe": {"path": str(socket), "mode": 0o600}}
    told = _early(_came_in(through(VERSION_HOST)))
    version = _listener(ENTRANCES, pipe, _connections(ENTRANCES, folder, told))
    return [_unbounded(version), *found]


def _door(folder: Path, entrance: Entrance, door: Door) -> Json:
    address = _socket(door.address, door.port, door.namespace)
    if entrance.is_tcp:
        listener = _listener(door.name, address, _passing(entrance), TCP_PROXY)
    else:
        more = (_from_anywhere if door.is_published else _as_it_came)(entrance.name)
        listener = _listener(door.name, address, _connections(ENTRANCES, folder, more))
    return listener if door.is_published else _unbounded(listener)


def _passing(entrance: Entrance) -> Json:
    """What passes connections on. Without an upstream it takes them, and closes them at once."""
    return {
        "@type": f"{_API}.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "tcp",
        "cluster": entrance.upstream or _NOBODY,
        "idle_timeout": "0s",
        "max_connect_attempts": 3,
    }


def _from_anywhere(entrance: str) -> Json:
    """What a caller has said of where it is from stays, as with a port that Docker publishes."""
    return {
        **_as_it_came(entrance),
        **_early(_came_in(through(entrance)), access.forget_claims()),
        "use_remote_address": True,
        "skip_xff_append": False,
        "xff_num_trusted_hops": 1,
        **bounds.of_connections(),
    }


def _as_it_came(entrance: str) -> Json:
    """Between services nothing is added to a request: who forwards one says where it is from."""
    return {
        "use_remote_address": False,
        "skip_xff_append": True,
        "generate_request_id": False,
        **_early(_came_in(through(entrance))),
    }


def _came_in(where: str) -> Json:
    header = {"key": ENTRANCE_HEADER, "value": where}
    return {"append": {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}


def _early(*mutations: Json) -> Json:
    """What is changed in the headers of a request before a route is chosen."""
    extension = {
        "name": "early",
        "typed_config": {
            "@type": f"{_API}.extensions.http.early_header_mutation.header_mutation.v3"
            ".HeaderMutation",
            "mutations": list(mutations),
        },
    }
    return {"early_header_mutation_extensions": [extension]}


def _socket(host: str, port: int, namespace: str | None = None) -> Json:
    address: Json = {"address": host, "port_value": port}
    if namespace is not None:
        address["network_namespace_filepath"] = namespace
    return {"socket_address": address}


def _connections(way: str, folder: Path, more: Json) -> Json:
    return {
        "@type": f"{_API}.extensions.filters.network.http_connection_manager.v3"
        ".HttpConnectionManager",
        "stat_prefix": way,
        "codec_type": "AUTO",
        "http_protocol_options": {"accept_http_10": True},
        "stream_idle_timeout": "0s",
        "request_timeout": "0s",
        "normalize_path": False,
        "merge_slashes": False,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "server_header_transformation": "PASS_THROUGH",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "rds": {"route_config_name": ROUTES, "config_source": _file(folder / f"{ROUTES}.json")},
        "local_reply_config": {"mappers": [access.local_reply(), paths.local_reply()]},
        "http_filters": [
            # Whoever comes through an entrance has named its service: no path leads elsewhere.
            *([] if way == ENTRANCES else [paths.http_filter()]),
            access.http_filter(),
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": f"{_API}.extensions.filters.http.router.v3.Router",
                    "suppress_envoy_headers": True,
                },
            },
        ],
        **more,
    }


def _listener(
    name: str, address: Json, connections: Json, filter_name: str = HTTP_CONNECTIONS
) -> Json:
    filters = [{"name": filter_name, "typed_config": connections}]
    if filter_name == HTTP_CONNECTIONS:
        filters.insert(0, access.network_filter())
    return {
        "@type": f"{_API}.config.listener.v3.Listener",
        "name": name,
        "address": address,
        # With SO_REUSEPORT two gateways could share a port, each taking half of the connections.
        "enable_reuse_port": False,
        "filter_chains": [{"filters": filters}],
    }


def _file(path: Path) -> Json:
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}


def bootstrap(folder: Path, admin_socket: Path) -> Json:
    """What Envoy is started with; everything that changes is read from files in `folder`."""
    return {
        "node": {"id": "compartment", "cluster": "compartment"},
        "admin": {
            "address": {"pipe": {"path": str(admin_socket), "mode": 0o600}},
            "ignore_global_conn_limit": True,
        },
        "dynamic_resources": {
            "lds_config": _file(folder / "listeners.json"),
            "cds_config": _file(folder / "clusters.json"),
        },
        "stats_config": {
            "stats_matcher": {
                "inclusion_list": {
                    "patterns": [{"safe_regex": {"regex": regex}} for regex in _STATISTICS]
                }
            }
        },
    }
