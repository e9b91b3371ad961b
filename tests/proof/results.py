"""What is kept of each part that has run: a proof that was interrupted goes on where it was."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from core.files import write_atomically
from tests.figures import Figure  # noqa: TC001 - read when results are validated
from tests.proof.evidence import Series  # noqa: TC001 - the same

if TYPE_CHECKING:
    from tests.proof.parts import Part

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".proof"


@dataclass(frozen=True, slots=True)
class Shown:
    """One test of a part: how it ended and what it has measured."""

    node: str
    outcome: str
    """`passed`, `failed` or `skipped`."""
    seconds: float
    figures: tuple[Figure, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """One part as it has run."""

    part: str
    source: str
    """The digest of the program and its proofs as they were."""
    commit: str
    machine: str
    began_at: str
    """ISO 8601 in UTC."""
    seconds: float
    command: str
    exit_code: int
    """That of pytest: what was interrupted has not ended with 0, although no test failed."""
    shown: tuple[Shown, ...]

    @property
    def has_passed(self) -> bool:
        """Whether there was a test, and all were run to their ends without a failure."""
        return bool(self.shown) and self.exit_code == 0


_RESULT = TypeAdapter(Result)


def path_of(part: Part) -> Path:
    """Where the result of a part is kept."""
    return FOLDER / f"{part.name}.json"


def keep(part: Part, result: Result) -> None:
    """Keeps the result of a part in place of an earlier one."""
    FOLDER.mkdir(exist_ok=True)
    write_atomically(path_of(part), json.dumps(asdict(result), indent=1).encode(), mode=0o644)


def kept(part: Part) -> Result | None:
    """The last result of a part; None where it has not been run."""
    try:
        return _RESULT.validate_json(path_of(part).read_bytes())
    except (FileNotFoundError, ValidationError):  # there is none, or one of other proofs than these
        return None


def source_digest() -> str:
    """Tells one state of the program and its proofs from another: all that git would commit."""
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *_CODE)
    digest = hashlib.sha256()
    for name in sorted(filter(None, listed.split("\0"))):
        path = ROOT / name
        if path.is_file():
            digest.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def commit() -> str:
    """The commit that is checked out, in short."""
    return _git("rev-parse", "--short", "HEAD").strip()


_CODE = ("core", "tui", "styles", "examples", "tests", "requirements-proof.lock")


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
