"""Where log files are: `<logs>/<deployment>/compartment.log` and one file for each activation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COMPARTMENT_FILE = "compartment.log"


def log_files(logs: Path, deployment_id: str) -> list[Path]:
    """The current log files of a deployment, without their rotated parts."""
    folder = logs / deployment_id
    return sorted(folder.glob("*.log")) if folder.is_dir() else []


def parts_of(file: Path) -> list[Path]:
    """A log file with its rotated parts, the newest first."""
    parts = [file]
    while (older := file.with_name(f"{file.name}.{len(parts)}")).exists():
        parts.append(older)
    return parts
