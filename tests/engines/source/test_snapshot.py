from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engines.source.snapshot import Snapshot, SourceChanged, copy_to, fingerprint
from core.engines.source.walk import Kind
from core.errors import ConfigError
from tests.quickness import quickest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "service"
    folder.mkdir()
    return folder


def _take(root: Path, limit_bytes: int = 10**6) -> Snapshot:
    return fingerprint(root, root, limit_bytes)


def _paths(snapshot: Snapshot) -> list[str]:
    return [entry.path for entry in snapshot.files]


_trees = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "c.py", "é", "\udcff"]), min_size=1, max_size=3).map(
        lambda parts: "/".join([*(f"in {part}" for part in parts[:-1]), parts[-1]])
    ),
    st.tuples(st.binary(max_size=20), st.booleans()),
    max_size=8,
)


def _write(root: Path, tree: dict[str, tuple[bytes, bool]], order: list[str]) -> None:
    for path in order:
        content, is_executable = tree[path]
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
        (root / path).chmod(0o755 if is_executable else 0o644)


@settings(max_examples=60, deadline=None)
@given(_trees, st.randoms(use_true_random=False))
def test_digest_depends_on_content_only(
    tree: dict[str, tuple[bytes, bool]], chance: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        _write(Path(one), tree, list(tree))
        _write(Path(other), tree, chance.sample(list(tree), len(tree)))
        first, second = _take(Path(one)), _take(Path(other))
        assert first.digest == second.digest
        assert first.files == second.files
        assert set(_paths(first)) == set(tree)
        assert first.size_bytes == sum(len(content) for content, _ in tree.values())
        copy_to(first, Path(one) / "copy")
        assert _take(Path(one) / "copy").digest == first.digest


def test_every_kind_of_change_changes_the_digest(root: Path) -> None:
    (root / "a").write_text("1")
    digests = {_take(root).digest}
    (root / "a").write_text("2")
    digests.add(_take(root).digest)
    (root / "a").chmod(0o755)
    digests.add(_take(root).digest)
    (root / "a").rename(root / "b")
    digests.add(_take(root).digest)
    (root / "link").symlink_to("b")
    digests.add(_take(root).digest)
    (root / "link").unlink()
    (root / "link").symlink_to("a")
    digests.add(_take(root).digest)
    (root / "link").unlink()
    (root / "link").write_text("a")
    digests.add(_take(root).digest)
    assert len(digests) == 7


def test_times_and_write_permission_do_not_change_it(root: Path) -> None:
    (root / "a").write_text("1")
    before = _take(root).digest
    os.utime(root / "a", (1, 1))
    (root / "a").chmod(0o600)
    assert _take(root).digest == before


def test_repository_data_and_special_files_are_left_out(root: Path) -> None:
    (root / "sub/.git").mkdir(parents=True)
    (root / "sub/.git/HEAD").write_text("ref")
    (root / ".git").write_text("gitdir: elsewhere")
    (root / ".github").write_text("")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
        assert _paths(_take(root)) == [".github"]


def test_links_inside_stay_links(root: Path, tmp_path: Path) -> None:
    (root / "folder").mkdir()
    (root / "folder/file").write_text("x")
    (root / "to-folder").symlink_to("folder")
    (root / "folder/up").symlink_to("../folder/file")
    (root / "dangling").symlink_to("nowhere")
    (root / "itself").symlink_to("itself")
    snapshot = _take(root)
    assert [entry.path for entry in snapshot.files if entry.kind is Kind.LINK] == [
        "dangling",
        "folder/up",
        "itself",
        "to-folder",
    ]
    copy_to(snapshot, tmp_path / "copy")
    assert (tmp_path / "copy/to-folder").readlink() == Path("folder")
    assert (tmp_path / "copy/folder/up").read_text() == "x"


@pytest.mark.parametrize("target", ["..", "../other", "/etc/passwd", "folder/../../x", "out/x"])
def test_links_that_lead_out_are_refused(root: Path, target: str) -> None:
    (root / "folder").mkdir()
    (root / "folder/link").symlink_to(f"../{target}" if target[0] != "/" else target)
    if target == "out/x":
        (root / ".gitignore").write_text("/out\n")
        (root / "out").symlink_to("..")
    with pytest.raises(ConfigError, match=r"^folder/link is a link that leads out"):
        _take(root)


def test_an_absolute_link_to_the_inside_is_refused(root: Path) -> None:
    (root / "a").write_text("")
    (root / "link").symlink_to(root / "a")
    with pytest.raises(ConfigError, match="link is a link"):
        _take(root)


def test_undecodable_names_survive(root: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\n")
    (root / name).write_text("x")
    snapshot = _take(root)
    copy_to(snapshot, tmp_path / "copy")
    assert [os.fsencode(path.name) for path in (tmp_path / "copy").iterdir()] == [b"caf\xe9\n"]
    (root / name).write_text("y")
    with pytest.raises(SourceChanged) as caught:
        copy_to(snapshot, tmp_path / "again")
    assert caught.value.message == "caf\\xe9\\n changed while it was being copied"


@pytest.mark.parametrize("change", ["content", "longer", "gone", "folder", "pipe", "link", "mode"])
def test_a_change_while_copying_is_noticed(root: Path, tmp_path: Path, change: str) -> None:
    file = root / "a"
    file.write_text("one")
    (root / "b").write_text("one")
    snapshot = _take(root)
    if change in ("content", "longer"):
        file.write_text("two" if change == "content" else "one and more")
    else:
        file.unlink()
    if change == "folder":
        file.mkdir()
    elif change == "pipe":
        os.mkfifo(file)
    elif change == "link":
        file.symlink_to("b")
    elif change == "mode":
        file.write_text("one")
        file.chmod(0o755)
        copy_to(snapshot, tmp_path / "copy")
        assert not os.access(tmp_path / "copy/a", os.X_OK)
        return
    with pytest.raises(SourceChanged, match="a changed while it was being copied"):
        copy_to(snapshot, tmp_path / "copy")


def test_modes_of_the_copy(root: Path, tmp_path: Path) -> None:
    (root / "run").write_text("")
    (root / "run").chmod(0o500)
    (root / "read").write_text("")
    (root / "read").chmod(0o444)
    copy_to(_take(root), tmp_path / "copy")
    assert os.access(tmp_path / "copy/run", os.X_OK)
    assert (tmp_path / "copy/read").stat().st_mode & 0o777 in (0o644, 0o600)


def test_too_much_names_what_is_large(root: Path) -> None:
    (root / "node_modules").mkdir()
    (root / "node_modules/big").write_bytes(b"x" * 3_000_000)
    (root / "small").write_bytes(b"x" * 1000)
    with pytest.raises(ConfigError) as caught:
        _take(root, 2**20)
    assert caught.value.message == (
        f"the source in {root} is 2.9 MiB, more than the limit of 1.0 MiB;"
        " node_modules alone is 2.9 MiB"
    )
    (root / ".gitignore").write_text("node_modules\n")
    assert _paths(_take(root, 2**20)) == [".gitignore", "small"]


def test_large_files_are_read_in_pieces(root: Path, tmp_path: Path) -> None:
    content = random.Random(1).randbytes(2_500_000)
    (root / "big").write_bytes(content)
    copy_to(_take(root, 10**7), tmp_path / "copy")
    assert (tmp_path / "copy/big").read_bytes() == content


@pytest.mark.parametrize("name", ["secret", "folder", ".gitignore"])
def test_what_cannot_be_read_is_named(name: str) -> None:
    # In a process of its own, which gives up root: root may read everything.
    program = (
        "import os, sys; from pathlib import Path\n"
        "from core.engines.source.snapshot import fingerprint\n"
        "from core.errors import ConfigError\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: fingerprint(Path(sys.argv[1]), Path(sys.argv[1]))\n"
        "except ConfigError as error: print(error.message)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        target = root / name
        target.mkdir() if name == "folder" else target.write_text("a\n")
        target.chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", program, folder], capture_output=True, text=True, check=True
        )
        target.chmod(0o700)
    assert done.stdout.rstrip().endswith(f"{name} cannot be read: Permission denied") or (
        name == "folder" and done.stdout == "folder/ cannot be read: Permission denied\n"
    )


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing is not a folder"):
        fingerprint(tmp_path / "nothing", tmp_path)


def test_a_linked_root_is_the_folder_itself(root: Path, tmp_path: Path) -> None:
    (root / "a").write_text("1")
    (tmp_path / "link").symlink_to(root)
    taken = fingerprint(tmp_path / "link", tmp_path)
    assert taken.root == root
    assert replace(taken, repository=root) == _take(root, taken.limit_bytes)


def test_thousands_of_files_are_quick(root: Path) -> None:
    for folder in range(50):
        (root / f"{folder}").mkdir()
        for file in range(60):
            (root / f"{folder}/{file}.py").write_text("x" * 500)
    (root / ".gitignore").write_text("\n".join(f"*.o{number}" for number in range(60)))
    assert len(_take(root, 10**7).files) == 3_001
    assert quickest(lambda: _take(root, 10**7)) < 1
