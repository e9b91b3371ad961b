"""Compose projects and near misses of them, made up by hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from(["web", "db", "cache", "job"])
WORDS = st.sampled_from(
    ["a", "b", "x y", "1", "true", "no", "0440", "é", "a=b", "#", "${", "$$", "$A"]
)
SAFE = st.sampled_from(
    ["a", "b", "x y", "1", "true", "no", "0440", "é", "a#b", "a: b", "-", "a$$b"]
)


def services() -> st.SearchStrategy[dict[str, Any]]:
    """Services of which everything is right."""
    variables = st.dictionaries(st.sampled_from("ABC"), SAFE, max_size=3)
    return st.dictionaries(
        NAMES,
        st.fixed_dictionaries(
            {
                "image": st.sampled_from(
                    ["nginx:1.27", "app@sha256:" + "0" * 64, "r.org:5000/a/b:1"]
                )
            },
            optional={
                "environment": variables
                | st.lists(st.sampled_from(["A=1", "B=x y", "C="]), unique=True),
                "labels": variables,
                "command": st.lists(SAFE, min_size=1, max_size=3) | st.just("a 'b c'"),
                "ports": st.lists(
                    st.sampled_from(["80", "{0}:80", "127.0.0.1:{0}-{1}:80-81", "{0}:53/udp"]),
                    max_size=1,
                ),
                "volumes": st.lists(
                    st.sampled_from(["data:/data", "./src:/src:ro", "/anonymous"]), unique=True
                ),
                "cap_add": st.lists(st.sampled_from(["NET_ADMIN", "SYS_TIME"]), unique=True),
                "stop_grace_period": st.sampled_from(["5s", "1m30s", "1h"]),
                "restart": st.sampled_from(["no", "always", "unless-stopped", "on-failure:3"]),
                "healthcheck": st.sampled_from(
                    [
                        {"test": "curl $$X"},
                        {"test": ["CMD", "a"], "interval": "5s"},
                        {"disable": True},
                    ]
                ),
                "deploy": st.sampled_from(
                    [{"replicas": 1}, {"resources": {"limits": {"memory": "256m", "cpus": "0.5"}}}]
                ),
                "networks": st.sampled_from([["front"], {"front": {"aliases": ["x"]}}]),
                "x-own": st.dictionaries(SAFE, SAFE, max_size=2),
            },
        ),
        min_size=1,
    )


def projects() -> st.SearchStrategy[dict[str, Any]]:
    """Whole projects of which everything is right."""
    return st.fixed_dictionaries(
        {
            "services": services().map(_with_ports_of_their_own),
            "volumes": st.sampled_from([{"data": None}, {"data": {"name": "own"}}]),
            "networks": st.sampled_from([{"front": None}, {"front": {"internal": True}}]),
        },
        optional={"name": st.sampled_from(["shop", "shop-2"])},
    )


def _with_ports_of_their_own(services: dict[str, Any]) -> dict[str, Any]:
    for first, service in zip(range(8000, 9000, 10), services.values(), strict=False):
        if "ports" in service:
            service["ports"] = [each.format(first, first + 1) for each in service["ports"]]
    return services


_KEYS = """
services volumes networks configs secrets include name version x-a web db image build ports
environment env_file extends service file depends_on condition healthcheck test deploy resources
limits replicas command entrypoint labels logging driver options ulimits ipam config path required
profiles source target <<
"""
KEYS = st.sampled_from(_KEYS.split())


def anything() -> st.SearchStrategy[Any]:
    """Trees of the right words in the wrong places."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | KEYS
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    )


def almost_projects() -> st.SearchStrategy[dict[str, Any]]:
    """Projects whose services have anything at all under their keys."""
    service = st.dictionaries(KEYS, anything(), max_size=4)
    return st.fixed_dictionaries(
        {"services": st.dictionaries(NAMES, service, max_size=3) | anything()},
        optional={"include": anything(), "networks": anything(), "volumes": anything()},
    )
