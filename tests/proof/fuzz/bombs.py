"""Small projects that mean very much: what each of them would become has no bound by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEVELS: Final = 60
_MANY: Final = 1000
_MEGABYTE: Final = 1_000_000


def _nested(begin: str, inside: str, end: str, levels: int) -> bytes:
    return (begin * levels + inside + end * levels).encode()


def _image(value: bytes) -> bytes:
    return b"services: {web: {image: a, environment: {X: " + value + b"}}}"


def _aliases(width: int) -> bytes:
    """Each list holds the one before it several times."""
    lines = ["x-0: &a0 [a]"]
    lines += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, _LEVELS)]
    return "\n".join([*lines, "services: {web: {image: a}}"]).encode()


def _merges(width: int) -> bytes:
    """Each mapping merges the one before it several times."""
    lines = ["x-0: &a0 {image: a}"]
    lines += [
        f"x-{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * width)}], k{n}: v}}"
        for n in range(1, _LEVELS)
    ]
    return "\n".join([*lines, f"services: {{web: {{<<: *a{_LEVELS - 1}}}}}"]).encode()


def _including(width: int) -> dict[str, bytes]:
    """Each file includes the next one several times."""
    files = {
        f"f{n}.yml": ("include: [" + ", ".join([f"f{n + 1}.yml"] * width) + "]").encode()
        for n in range(30)
    }
    return {"compose.yml": b"include: [f0.yml]", **files, "f30.yml": _image(b"1")}


def _extending(count: int) -> bytes:
    services = [f"s{n}: {{extends: {{service: s{n + 1}}}}}" for n in range(count)]
    return ("services: {" + ", ".join([*services, f"s{count}: {{image: a}}"]) + "}").encode()


def _extending_across(count: int) -> dict[str, bytes]:
    files = {
        f"f{n}.yml": f"services: {{a: {{extends: {{file: f{n + 1}.yml, service: a}}}}}}".encode()
        for n in range(count)
    }
    first = b"services: {a: {extends: {file: f0.yml, service: a}}}"
    return {"compose.yml": first, **files, f"f{count}.yml": b"services: {a: {image: a}}"}


def _services(keys: str, count: int = _MANY) -> bytes:
    text = "".join(f"  s{n}: {{image: a, {keys}}}\n" for n in range(count))
    return f"services:\n{text}".encode()


def _doubling() -> bytes:
    return b"V0=12345678\n" + b"".join(b"V%d=$V%d$V%d\n" % (n + 1, n, n) for n in range(40))


_VARIABLES = b"".join(b"VARIABLE_%d=a\n" % n for n in range(40_000))
_NAMES = ", ".join(f"s{n}" for n in range(_MANY))

BOMBS: Final[Mapping[str, Mapping[str, bytes]]] = {
    "aliases": {"compose.yml": _aliases(10)},
    "aliases, two": {"compose.yml": _aliases(2)},
    "merges": {"compose.yml": _merges(10)},
    "merges, two": {"compose.yml": _merges(2)},
    "lists": {"compose.yml": b"a: " + _nested("[", "", "]", 200_000)},
    "mappings": {"compose.yml": _nested("{a: ", "b", "}", 100_000)},
    "indents": {"compose.yml": b"".join(b" " * n + b"a:\n" for n in range(1200))},
    "a long text": {"compose.yml": _image(b"a" * _MEGABYTE)},
    "a long key": {"compose.yml": b"? " + b"a" * _MEGABYTE + b"\n: b"},
    "quotes": {"compose.yml": _image(b"'" + b"''" * 400_000 + b"'")},
    "many keys": {"compose.yml": b"".join(b"x-%d: 1\n" % n for n in range(60_000))},
    "wrong keys": {"compose.yml": b"".join(b"servic%d: 1\n" % n for n in range(40_000))},
    "comments": {"compose.yml": b"#\n" * 500_000 + _image(b"1")},
    "anchors": {"compose.yml": b"".join(b"x-%d: &a%d b\n" % (n, n) for n in range(40_000))},
    "variables in each other": {"compose.yml": _image(_nested("${A-${B:-", "x", "}}", 20_000))},
    "variables never closed": {"compose.yml": _image(b"${A:-" * 100_000)},
    "braces": {"compose.yml": _image(b'"${A:-' + b"{" * 200_000 + b"}" * 199_000 + b'}"')},
    "many variables": {"compose.yml": _image(b"$A" * 400_000)},
    "unset variables": {
        "compose.yml": _image(b'"' + b"".join(b"$U%d " % n for n in range(100_000)) + b'"')
    },
    "variables that double": {".env": _doubling(), "compose.yml": _image(b"$V40")},
    "a long variable in many places": {
        ".env": b"V=" + b"x" * 900_000,
        "compose.yml": _services("environment: {A: $V, B: $V, C: $V}"),
    },
    "a long file of variables in many services": {
        "big.env": _VARIABLES,
        "compose.yml": _services("env_file: [big.env, big.env]"),
    },
    "a long raw file in many services": {
        "big.env": _VARIABLES,
        "compose.yml": _services("env_file: [{path: big.env, format: raw}]"),
    },
    "labels from a long file": {
        "big.env": _VARIABLES, "compose.yml": _services("label_file: big.env")
    },
    "a file that includes itself": {"compose.yml": b"include: [compose.yml]"},
    "files that include each other": {
        "compose.yml": b"include: [b.yml]", "b.yml": b"include: [{path: [c.yml, compose.yml]}]",
        "c.yml": b"include: [b.yml]",
    },
    "includes that double": _including(2),
    "includes, ten each": _including(10),
    "services that extend each other": {
        "compose.yml": b"services: {a: {extends: b}, b: {extends: c}, c: {extends: a}}"
    },
    "a long chain of extends": {"compose.yml": _extending(_MANY)},
    "a chain of extends in files": _extending_across(200),
    "everything depends on everything": {"compose.yml": _services(f"depends_on: [{_NAMES}]", 40)},
    "a chain of dependencies": {
        "compose.yml": b"services:\n" + b"".join(
            b"  s%d: {image: a, depends_on: [s%d]}\n" % (n, (n + 1) % _MANY) for n in range(_MANY))
    },
    "ports": {"compose.yml": _services('ports: ["1-65535:1-65535"]', 50)},
    "replicas": {"compose.yml": _services("deploy: {replicas: 99999999999}", 2)},
    "numbers": {"compose.yml": _services("mem_limit: " + "9" * 5000 + "g, cpus: 1e999", 2)},
    "durations": {"compose.yml": _services("stop_grace_period: " + "1h" * 50_000, 2)},
    "commands": {"compose.yml": _services("command: " + '"' + "a'b' " * 50_000 + '"', 2)},
    "health checks": {
        "compose.yml": _services(
            "healthcheck: {test: 'curl " + "http://localhost" * 20_000 + " || exit 1'}", 2)
    },
    "names": {"compose.yml": b"name: " + b"-" * 500_000 + b"\n" + _image(b"1")},
}  # fmt: skip
