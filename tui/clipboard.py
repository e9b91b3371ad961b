"""Copying text, by a tool of the desktop where there is one, else through the terminal."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from textual.app import App

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENCODED_LIMIT = 74_994
"""What terminals take at most in one OSC 52 sequence, in bytes of base64."""

_LIMIT_BYTES = ENCODED_LIMIT // 4 * 3
_TOOL_TIMEOUT_S = 3


def copy(app: App[Any], text: str) -> str:
    """Copies the text; returns what to tell the person.

    A tool is started in the background; if it fails, the text goes through the terminal.
    """
    lines = _counted(text)
    tool = native_tool(os.environ)
    if tool is not None:
        # Where text is typed, it is pasted from here; Textual 8.2.8 has no other way to set it.
        app._clipboard = text  # noqa: SLF001 - see above
        app.run_worker(_copy_by(tool, app, text), group="clipboard", exit_on_error=False)
        return f"copied {lines}"
    head = _by_terminal(app, text)
    if head != text:
        kept = f"the first {len(head):,} characters of {lines}"
        return f"copied {kept}: a terminal takes no more; s saves all of it"
    return f"copied {lines}"


def native_tool(environment: Mapping[str, str], platform: str = sys.platform) -> list[str] | None:
    """The command that copies its input on this desktop; None over ssh and without a desktop."""
    if environment.get("SSH_CONNECTION"):
        return None
    candidates: list[tuple[bool, Sequence[str]]] = [
        (bool(environment.get("WAYLAND_DISPLAY")), ("wl-copy",)),
        (bool(environment.get("DISPLAY")), ("xclip", "-selection", "clipboard")),
        (platform == "darwin", ("pbcopy",)),
    ]
    for is_possible, (name, *arguments) in candidates:
        path = shutil.which(name, path=environment.get("PATH")) if is_possible else None
        if path is not None:
            return [path, *arguments]
    return None


async def _copy_by(tool: Sequence[str], app: App[Any], text: str) -> None:
    # Some of these tools stay behind to serve the text, and would hold a pipe of ours open.
    silent = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *tool, stdin=asyncio.subprocess.PIPE, stdout=silent, stderr=silent
        )
        try:
            async with asyncio.timeout(_TOOL_TIMEOUT_S):
                await process.communicate(text.encode(errors="replace"))
        finally:
            if process.returncode is None:
                process.kill()
        has_failed = process.returncode != 0
    except (OSError, TimeoutError):
        has_failed = True
    if has_failed:
        _by_terminal(app, text)


def _by_terminal(app: App[Any], text: str) -> str:
    """Copies as much of the text as a terminal takes; returns that."""
    head = _head(text)
    App.copy_to_clipboard(app, head)  # the dashboard's own comes here
    return head


def _head(text: str) -> str:
    encoded = text.encode(errors="replace")
    if len(encoded) <= _LIMIT_BYTES:
        return text
    return encoded[:_LIMIT_BYTES].decode(errors="ignore")


def _counted(text: str) -> str:
    count = text.count("\n") + 1
    return "the line" if count == 1 else f"{count:,} lines"
