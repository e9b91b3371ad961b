"""How much of the gateway a stranger may take. Pure.

No bound cuts a request that goes on, however slow: neither an upload nor a stream has a limit.
"""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

HEAD_S: Final = 30
"""How long the head of a request may take to come."""

IDLE_S: Final = 1000
"""How long a connection may be open without a request: longer than those who pass requests on to
others keep theirs (Cloudflare 900 s, Google 600 s), so that it is never closed under a new one."""

MOST_CONNECTIONS: Final = 50_000
"""Of all clients together, where the machine allows so many open files."""

_FILES_PER_CONNECTION: Final = 3
"""One to the client, one to the instance; the rest is for all else."""

_API: Final = "type.googleapis.com/envoy.extensions.resource_monitors"
_HEAP: Final = "envoy.resource_monitors.fixed_heap"
_CONNECTIONS: Final = "envoy.resource_monitors.global_downstream_max_connections"


def of_connections() -> Json:
    """What each connection from outside is held to."""
    return {
        "request_headers_timeout": f"{HEAD_S}s",
        "common_http_protocol_options": {"idle_timeout": f"{IDLE_S}s"},
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            # Of an upload as much as this is kept for an instance that does not read.
            "initial_stream_window_size": 256 * 1024,
            "initial_connection_window_size": 1024 * 1024,
        },
    }


def connections(open_files: int) -> int:
    """How many connections from outside there may be; `open_files` is the limit of the process."""
    return min(MOST_CONNECTIONS, max(1, open_files // _FILES_PER_CONNECTION))


def of_the_process(open_files: int, memory_bytes: int) -> Json:
    """What all of them together are held to: beyond that new ones are refused, old ones served."""
    return {
        "overload_manager": {
            "resource_monitors": [
                _monitor(
                    _CONNECTIONS,
                    "downstream_connections.v3.DownstreamConnectionsConfig",
                    max_active_downstream_connections=connections(open_files),
                ),
                _monitor(
                    _HEAP,
                    "fixed_heap.v3.FixedHeapConfig",
                    max_heap_size_bytes=memory_bytes // 2,
                ),
            ],
            "actions": [
                _action("shrink_heap", 0.9),
                _action("disable_http_keepalive", 0.95),
                _action("stop_accepting_requests", 0.98),
            ],
        }
    }


def _monitor(name: str, kind: str, **fields: int) -> Json:
    return {"name": name, "typed_config": {"@type": f"{_API}.{kind}", **fields}}


def _action(name: str, share: float) -> Json:
    trigger = {"name": _HEAP, "threshold": {"value": share}}
    return {"name": f"envoy.overload_actions.{name}", "triggers": [trigger]}
