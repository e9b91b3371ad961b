from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.engines.docker.dockerignore import patterns
from core.engines.source.walk import walk
from core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FILES = (
    ".env", ".env.example", "a/b/c.py", "a/b/d.txt", "a/x/keep.md", "b", "docs/index.md",
    "docs/deep/page.md", "node_modules/left/index.js", "src/node_modules/own.js", "star*", "x.log",
)  # fmt: skip


def _kept(folder: Path, text: str, *always: str) -> set[str]:
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return {file.path for file in walk(folder, None, patterns(text, always).left_out)}


# As BuildKit decided when it was given the same folder.
@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("b", {"b"}),
        ("c.py", set()),
        ("**/c.py", {"a/b/c.py"}),
        ("*/*/c.py", {"a/b/c.py"}),
        ("/a/b/", {"a/b/c.py", "a/b/d.txt"}),
        ("./a/x/../b", {"a/b/c.py", "a/b/d.txt"}),
        ("a", {"a/b/c.py", "a/b/d.txt", "a/x/keep.md"}),
        ("*.md", set()),
        ("**/*.md\n!docs/index.md", {"a/x/keep.md", "docs/deep/page.md"}),
        ("docs\n!docs/deep/page.md", {"docs/index.md"}),
        ("docs\n!docs/deep\ndocs/deep/page.md", {"docs/index.md", "docs/deep/page.md"}),
        ("docs\n!**/page.md", {"docs/index.md"}),
        ("!b\nb", {"b"}),
        ("node_modules", {"node_modules/left/index.js"}),
        ("**/node_modules", {"node_modules/left/index.js", "src/node_modules/own.js"}),
        ("node_modules/**", {"node_modules/left/index.js"}),
        (".env*\n!.env.example", {".env"}),
        ("  b  \r\n\n# x.log\n", {"b"}),
        ("[a-c]", {"b", "a/b/c.py", "a/b/d.txt", "a/x/keep.md"}),
        ("[^a-c]*.log", {"x.log"}),
        ("?", {"b", "a/b/c.py", "a/b/d.txt", "a/x/keep.md"}),
        ("star\\*", {"star*"}),
        ("\ufeffb", {"b"}),
        (".", set()),
        ("*\n!src", set(FILES) - {"src/node_modules/own.js"}),
        ("**", set(FILES)),
    ],
)
def test_the_last_pattern_that_matches_decides(tmp_path: Path, text: str, gone: set[str]) -> None:
    assert set(FILES) - _kept(tmp_path, text) == gone


def test_what_counts_always_can_be_taken_back(tmp_path: Path) -> None:
    always = "**/node_modules"
    assert _kept(tmp_path, "", always) == {f for f in FILES if "node_modules" not in f}
    kept = _kept(tmp_path, "!src/node_modules", always)
    assert [file for file in kept if "node_modules" in file] == ["src/node_modules/own.js"]


def test_a_folder_that_nothing_comes_back_from_is_not_looked_into(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    asked = []
    found = patterns("closed\n!a/b")

    def left_out(path: str, is_folder: bool) -> bool:
        asked.append(path)
        return found.left_out(path, is_folder)

    (tmp_path / "closed/file").write_text("")
    assert not list(walk(tmp_path, None, left_out))
    assert asked == ["closed"]


@pytest.mark.parametrize("line", ["!", "a[", "[z-a]"])
def test_a_line_that_is_no_pattern_is_named(line: str) -> None:
    with pytest.raises(ConfigError, match="line 2"):
        patterns(f"fine\n{line}\n")
