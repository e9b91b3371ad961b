from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.engines.docker.sources import Sources
from core.engines.source.snapshot import SourceChanged
from core.errors import ConfigError
from core.model import Build, BuildStrategy, Service

if TYPE_CHECKING:
    from pathlib import Path

    from core.engines.docker.content import Content

SERVICE = Service("web", "web")
FILES = {"main.py": "print()", "notes.txt": "x", "Dockerfile": "FROM a\nCOPY . /\n"}


@pytest.fixture
async def sources(tmp_path: Path) -> Sources:
    sources = Sources(tmp_path / "sources", limit_bytes=10**6)
    await sources.sweep()
    return sources


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / "web" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "web" / name).write_text(text)


async def _look(sources: Sources, root: Path, **changes: Any) -> Content:
    return await sources.look(root, replace(SERVICE, **changes), {"A": "1", "B": "2"})


def _paths(content: Content) -> set[str]:
    return {entry.path for entry in content.snapshot.files}


async def test_whatever_counts_makes_another_artifact(sources: Sources, tmp_path: Path) -> None:
    _write(tmp_path, FILES)
    known = {"a": "sha256:1"}
    first = (await _look(sources, tmp_path)).artifact_id(known)
    seen = {first}

    async def changed(**changes: Any) -> bool:
        artifact_id = (await _look(sources, tmp_path, **changes)).artifact_id(known)
        is_new = artifact_id not in seen
        seen.add(artifact_id)
        return is_new

    assert not await changed()
    assert first.startswith("img_")
    assert len(first) == 28
    (tmp_path / "web/notes.txt").write_text("y")
    assert await changed()
    (tmp_path / "web/notes.txt").chmod(0o755)
    assert await changed()
    (tmp_path / "web/link").symlink_to("notes.txt")
    assert await changed()
    _write(tmp_path, {"Dockerfile": "FROM a\nCOPY . /app\n"})
    assert await changed()
    assert await changed(build=Build(env=("A",)))
    assert await changed(build=Build(env=("A", "B")))
    assert await changed(build=Build(strategy=BuildStrategy.RAILPACK))
    known = {"a": "sha256:2"}
    assert await changed()
    known = {}
    assert await changed()
    anew = await sources.look(tmp_path, SERVICE, {}, use_cache=False)
    assert anew.artifact_id(known) not in seen


async def test_with_a_dockerfile_only_dockerignore_counts(sources: Sources, tmp_path: Path) -> None:
    ignored = {".gitignore": "main.py\n", ".dockerignore": "notes.txt\n", ".git/HEAD": ""}
    _write(tmp_path, {**FILES, **ignored})
    assert _paths(await _look(sources, tmp_path)) == {
        "main.py", "Dockerfile", ".gitignore", ".dockerignore",
    }  # fmt: skip
    _write(tmp_path, {"Dockerfile.dockerignore": "*\n!main.py\n"})
    assert _paths(await _look(sources, tmp_path)) == {"main.py"}


async def test_without_one_both_ignore_files_count(sources: Sources, tmp_path: Path) -> None:
    made = {"sub/node_modules/x.js": "", ".venv/pyvenv.cfg": "", "__pycache__/x.pyc": ""}
    _write(tmp_path, {"main.py": "", "a.log": "", "b.log": "", "Dockerfile": "", **made})
    _write(tmp_path, {".gitignore": "a.log\n", ".dockerignore": "b.log\n.*ignore\nDockerfile\n"})
    content = await _look(sources, tmp_path, build=Build(strategy=BuildStrategy.RAILPACK))
    assert _paths(content) == {"main.py"}
    assert content.is_generated


async def test_what_is_copied_is_what_was_looked_at(sources: Sources, tmp_path: Path) -> None:
    _write(tmp_path, FILES)
    content = await _look(sources, tmp_path)
    same, copy = await sources.copy(content, SERVICE)
    assert same == content
    _write(tmp_path, {"main.py": "something else"})
    assert (copy / "main.py").read_text() == "print()"
    with pytest.raises(SourceChanged):
        await sources.copy(content, SERVICE)
    assert [path.name for path in (tmp_path / "sources").iterdir()] == [copy.name]
    await sources.remove(copy)
    await sources.remove(copy)
    assert not copy.exists()


async def test_a_file_that_is_left_out_says_nothing(sources: Sources, tmp_path: Path) -> None:
    _write(tmp_path, {"main.py": "", "package.json": '{"scripts": {"start": "node ."}}'})
    _write(tmp_path, {".dockerignore": "package.json\n"})
    content, _ = await sources.copy(await _look(sources, tmp_path), SERVICE)
    assert "python3 main.py" in content.dockerfile


async def test_what_a_crash_left_is_removed(sources: Sources, tmp_path: Path) -> None:
    _write(tmp_path, FILES)
    _, copy = await sources.copy(await _look(sources, tmp_path), SERVICE)
    copy.with_name(f"{copy.name}.tar").write_text("")
    (tmp_path / "sources/layers.json").write_text("{}")
    await Sources(tmp_path / "sources").sweep()
    assert [path.name for path in (tmp_path / "sources").iterdir()] == ["layers.json"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"run_command": "./x"}, "run.command of web cannot be used with the Dockerfile in web"),
        ({"build": Build(command="make")}, "build.command of web"),
        ({"build": Build(build_packages=("gcc",))}, "build.packages of web"),
        ({"build": Build(env=("A", "NONE"))}, "names NONE, which has no value"),
    ],
)
async def test_what_does_not_go_with_a_dockerfile_is_refused(
    sources: Sources, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    _write(tmp_path, FILES)
    with pytest.raises(ConfigError, match=message):
        await _look(sources, tmp_path, **changes)


@pytest.mark.parametrize(
    ("files", "strategy", "message"),
    [
        ({"main.py": ""}, BuildStrategy.DOCKERFILE, "there is no Dockerfile in web"),
        ({"notes": ""}, BuildStrategy.AUTO, "nothing says how to run"),
        ({"Dockerfile": "FROM a", "notes": ""}, BuildStrategy.RAILPACK, "nothing says how to run"),
        ({"Dockerfile": "FROM a", ".dockerignore": "["}, BuildStrategy.AUTO, "not a pattern"),
    ],
)
async def test_what_cannot_be_built_is_refused(
    sources: Sources, tmp_path: Path, files: dict[str, str], strategy: BuildStrategy, message: str
) -> None:
    _write(tmp_path, files)
    with pytest.raises(ConfigError, match=message):
        await _look(sources, tmp_path, build=Build(strategy=strategy))


async def test_a_link_that_leads_out_is_refused(sources: Sources, tmp_path: Path) -> None:
    _write(tmp_path, FILES)
    (tmp_path / "secret").write_text("")
    (tmp_path / "web/out").symlink_to("../secret")
    with pytest.raises(ConfigError, match="leads out") as caught:
        await _look(sources, tmp_path)
    assert ".dockerignore" in (caught.value.hint or "")
    _write(tmp_path, {".dockerignore": "out\n"})
    assert "out" not in _paths(await _look(sources, tmp_path))
