from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.engines.source.ignore import rules
from core.engines.source.walk import walk

Tree = dict[str, str]
"""Path to the text of a file."""

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git to compare with")

_GIT_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CEILING_DIRECTORIES": tempfile.gettempdir(),
}


def _git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=_GIT_ENVIRONMENT, check=True, capture_output=True
    ).stdout


def _plant(root: Path, tree: Tree) -> None:
    for path, text in tree.items():
        target = root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_dir():
                target.write_bytes(os.fsencode(text))
        except (FileExistsError, NotADirectoryError):
            pass  # the same name was drawn as a file and as a folder: the first one stays


def _assert_same_as_git(tree: Tree) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        _git(root, "init", "-q")
        _plant(root, tree)
        listed = _git(root, "ls-files", "-z", "-o", "--exclude-standard").split(b"\0")
        assert {os.fsencode(file.path) for file in walk(root, root)} == set(listed) - {b""}


_names = st.sampled_from(["a", "b", "ab", "x.d", "y.log", "é", "a b", "-", "]", "!x", "#x", "aab"])
_paths = st.lists(_names, min_size=1, max_size=4).map("/".join)
_globs = st.sampled_from(["*", "**", "?", "*.log", "[ab]", "[!a]", "[^b]", "[a-", "[]]", "[a-c]"])
_brackets = st.sampled_from(["[c-a]", "[\\]]", "[[:alpha:]]", "[[:no:]]", "[a-[^b]", "[a-c--e]"])
_plain = st.sampled_from(["a", "b", "/", "x.d", ".", "é", " ", "\\", "\\ ", "!", "#"])
_pieces = st.one_of(_plain, _plain, _globs, _brackets)
_lines = st.one_of(
    st.lists(_pieces, min_size=1, max_size=6).map("".join),
    st.tuples(st.sampled_from(["", "!"]), _paths, st.sampled_from(["", "/", "/*", "/**"])).map(
        "".join
    ),
    st.sampled_from(["*", "!*/", "!*.log", "*/", "**/a", "a/**/b", "# note", "", "\\!x", "\\#x"]),
)
_texts = st.tuples(
    st.lists(_lines, max_size=5), st.sampled_from(["\n", "\r\n"]), st.booleans()
).map(lambda drawn: drawn[1].join(drawn[0]) + (drawn[1] if drawn[2] else ""))
_trees = st.builds(
    lambda files, top, nested: {**nested, ".gitignore": top, **dict.fromkeys(files, "")},
    st.lists(_paths, min_size=1, max_size=12),
    _texts,
    st.dictionaries(_paths.map(lambda path: f"{path}/.gitignore"), _texts, max_size=2),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_trees)
@example({".gitignore": "*.d\n!keep/\n", "keep/x.d/file": "", "keep/y": ""})
@example({".gitignore": "*\n!*/\n!*.py\n", "a/b.py": "", "a/b.txt": ""})
@example({".gitignore": "x\n", "a/.gitignore": "!x\n", "a/x/x": "", "a/x/y": ""})
@example({".gitignore": "ab**/b\n", "abb": "", "ab/b": "", "ab/a/b": "", "abc/b": ""})
@example({".gitignore": "/a**\n!/ab/b\n", "ab/b": "", "ab/c": ""})
@example({".gitignore": "\ufeffa\n", "a": "", "b": ""})
@example({".gitignore": "a\\ \nb  \n\\", "a ": "", "a": "", "b": "", "\\": ""})
@example({".gitignore": "a/*\n!a/b\n", "a/b": "", "a/c": ""})
@example({".gitignore": "**\\/a\n", "a": "", "b/a": "", "b/c/a": ""})
@example({".gitignore": "foo[b/]ar\n[a-]x\n[!]]y\n", "foobar": "", "-x": "", "]y": "", "zy": ""})
def test_leaves_out_what_git_leaves_out(tree: Tree) -> None:
    _assert_same_as_git(tree)


def test_rules_of_parent_folders_count_up_to_the_repository(tmp_path: Path) -> None:
    _plant(
        tmp_path,
        {
            ".gitignore": "outermost\n",
            "repository/.gitignore": "*.log\n/apps/web/local\n",
            "repository/apps/.gitignore": "!keep.log\n",
            "repository/apps/web/keep.log": "",
            "repository/apps/web/other.log": "",
            "repository/apps/web/local": "",
            "repository/apps/web/outermost": "",
        },
    )
    found = walk(tmp_path / "repository/apps/web", tmp_path / "repository")
    assert {file.path for file in found} == {"keep.log", "outermost"}


def test_a_linked_gitignore_is_not_followed(tmp_path: Path) -> None:
    _plant(tmp_path, {"rules": "a\n", "a": ""})
    (tmp_path / ".gitignore").symlink_to("rules")
    assert {file.path for file in walk(tmp_path, tmp_path)} == {".gitignore", "rules", "a"}


@pytest.mark.parametrize("text", [b"", b"\n\n", b"# only a comment\n", b"[\n", b"/\n"])
def test_no_rules_without_a_usable_pattern(text: bytes) -> None:
    assert rules(text) is None
