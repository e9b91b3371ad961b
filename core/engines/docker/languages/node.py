"""Node: which tool installs the packages of a folder, and what its scripts do."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from core.engines.docker.languages.recipe import Recipe

if TYPE_CHECKING:
    from pathlib import Path

_DEFAULT_MAJOR = 22
_LOCKS = {
    "package-lock.json": "npm ci",
    "npm-shrinkwrap.json": "npm ci",
    "pnpm-lock.yaml": "corepack pnpm install --frozen-lockfile",
    "yarn.lock": "yarn install --frozen-lockfile",
}
_SETTINGS = (".npmrc", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml", ".pnpmfile.cjs")
_AT_INSTALL = {"preinstall", "install", "postinstall", "prepare"}


def recipe(folder: Path) -> Recipe:
    """How a folder with a `package.json` is built."""
    package = _package(folder / "package.json")
    scripts = _mapping(package.get("scripts"))
    lock = next((name for name in _LOCKS if (folder / name).is_file()), None)
    found = ("package.json", *([lock] if lock else []))
    settings = [name for name in _SETTINGS if (folder / name).is_file()]
    install = _install(package, lock)
    tool = re.sub(r" (ci|install)\b.*", "", install or "npm")
    return Recipe(
        base=f"node:{_major(folder, package)}-slim",
        found=found,
        needed=() if _is_anywhere(folder, package, scripts) else (*found, *settings),
        install=install,
        build=f"{tool} run build" if "build" in scripts else None,
        environment={"NODE_ENV": "production", "PATH": "/app/node_modules/.bin:$PATH"},
        command=_start(scripts),
    )


def _install(package: dict[str, Any], lock: str | None) -> str | None:
    if lock is None:
        wants = package.get("dependencies") or package.get("devDependencies")
        return "npm install --no-audit --no-fund" if wants else None
    if lock == "yarn.lock" and re.match(r"yarn@[2-9]", str(package.get("packageManager"))):
        # Its releases from 2 on are not part of the image; corepack fetches the one that is named.
        return "corepack yarn install --immutable"
    return _LOCKS[lock]


def _start(scripts: dict[str, Any]) -> str | None:
    """The text of `scripts.start`, so that signals reach the service and not npm."""
    start = scripts.get("start")
    has_more = "prestart" in scripts or "poststart" in scripts
    return start.strip() if isinstance(start, str) and not has_more else None


def _is_anywhere(folder: Path, package: dict[str, Any], scripts: dict[str, Any]) -> bool:
    """Whether an installation may read more than the files that list the packages."""
    listed = [*_mapping(package.get("dependencies")).values()]
    listed += _mapping(package.get("devDependencies")).values()
    local = any(str(version).startswith(("file:", "link:", "workspace:")) for version in listed)
    is_several = "workspaces" in package or (folder / "pnpm-workspace.yaml").is_file()
    is_patched = (folder / "patches").is_dir() or (folder / ".yarn").is_dir()
    return local or is_several or is_patched or not _AT_INSTALL.isdisjoint(scripts)


def _major(folder: Path, package: dict[str, Any]) -> int:
    """The release of Node that the folder asks for."""
    files = [folder / ".nvmrc", folder / ".node-version"]
    asked = next((path.read_text(errors="replace") for path in files if path.is_file()), None)
    if asked is None:
        asked = str(_mapping(package.get("engines")).get("node", ""))
    match = re.match(r"\s*[v^~=]*\s*(\d+)", asked)
    least = re.match(r"\s*>=?\s*(\d+)", asked)
    if match:
        return int(match[1])
    return max(_DEFAULT_MAJOR, int(least[1])) if least else _DEFAULT_MAJOR


def _package(path: Path) -> dict[str, Any]:
    try:
        return _mapping(json.loads(path.read_text("utf-8-sig", errors="replace")))
    except json.JSONDecodeError:  # reported by the one who looks for the command
        return {}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
