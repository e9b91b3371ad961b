"""Whether something is known against what is pinned, as pip-audit finds it.

It asks the index for the advisories of each release. Not every index has them: one that mirrors
files alone has none, and pip-audit would find nothing there and call it good.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.audit.index import NotChecked
from tests.audit.pins import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SERVICE: Final = "https://pypi.org/pypi"
"""The one that pip-audit asks."""

_ANSWER_S: Final = 15.0


def check_service(pinned: Mapping[str, str]) -> None:
    """Asks for one release that is there for sure.

    Raises:
        NotChecked: advisories are not to be had here.
    """
    name, version = next(iter(pinned.items()))
    try:
        reply = httpx.get(f"{SERVICE}/{name}/{version}/json", timeout=_ANSWER_S)
    except httpx.HTTPError as error:
        raise NotChecked(f"no advisory service answers ({type(error).__name__})") from None
    if reply.status_code != httpx.codes.OK or "vulnerabilities" not in reply.text:
        raise NotChecked(f"the index has no advisories here (it answers {reply.status_code})")


def known_against(locks: Iterable[Path]) -> list[str]:
    """What is known against pinned releases.

    Raises:
        NotChecked: pip-audit cannot be had, or was told nothing.
    """
    with tempfile.TemporaryDirectory() as scratch:
        program = _install(Path(scratch))
        given = [word for lock in locks for word in ("-r", str(lock))]
        done = subprocess.run(
            [program, "--format", "json", "--require-hashes", "--disable-pip", *given],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        report = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise NotChecked(f"pip-audit failed: {last[0]}") from None
    return findings(report)


def findings(report: Mapping[str, Any]) -> list[str]:
    """What a report of pip-audit holds against releases.

    Raises:
        NotChecked: it was told of none of them.
    """
    audited = [each for each in report["dependencies"] if "skip_reason" not in each]
    if not audited:
        raise NotChecked("pip-audit was told of no release")
    return [
        f"{each['name']} {each['version']}: {known['id']},"
        f" mended in {', '.join(known['fix_versions']) or 'no release yet'}"
        for each in audited
        for known in each["vulns"]
    ]


def _install(scratch: Path) -> Path:
    """pip-audit in an environment of its own, because it needs much that we do not."""
    venv.create(scratch, with_pip=True)
    python = scratch / "bin" / "python"
    lock = ROOT / "requirements-audit.lock"
    done = subprocess.run(
        [
            *(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--only-binary", ":all:", "--require-hashes", "-r", lock),
        ],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise NotChecked("pip-audit cannot be installed")
    return scratch / "bin" / "pip-audit"
