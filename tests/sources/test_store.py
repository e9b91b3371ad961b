"""Sources at the agent: sent once, settled in one folder, with what services wrote left alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from core.errors import CompartmentError, NotFound, UsageError
from core.records import Target
from core.sources.collecting import Collected
from core.sources.packing import list_files, pack
from core.sources.store import Sources

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.sources.listing import Listing

SHOP = Target("shop", "production")


class Laptop:
    """A project's folder, from which its files are sent."""

    def __init__(self, root: Path, sources: Sources) -> None:
        self.root = root
        self.sources = sources
        self.writable: set[str] = set()

    def write(self, **files: str | None) -> None:
        for name, text in files.items():
            path = self.root / name.replace("__", "/")
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)

    def listed(self) -> Listing:
        files = [path for path in self.root.rglob("*") if path.is_symlink() or path.is_file()]
        sizes = {str(path.relative_to(self.root)): 0 for path in files}
        return list_files(Collected(self.root, sizes, self.writable))

    async def send(self, target: Target = SHOP) -> str:
        listing = self.listed()
        parts = pack(self.root, listing)
        await self.sources.receive(target, listing.digest, listing.writable, parts)
        return listing.digest

    async def deploy(self) -> str:
        digest = await self.send()
        async with self.sources.settled(SHOP, digest):
            pass
        return digest

    @property
    def settled(self) -> dict[str, str]:
        root = self.sources.root_of(SHOP)
        files = [path for path in sorted(root.rglob("*")) if path.is_file()]
        return {str(path.relative_to(root)): path.read_text() for path in files}


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    (tmp_path / "laptop").mkdir()
    return Laptop(tmp_path / "laptop", Sources(tmp_path / "uploads", 10_000))


async def test_what_is_settled_follows_what_is_sent(laptop: Laptop) -> None:
    laptop.write(a="1", b="2", folder__c="3", folder__d="4")
    (laptop.root / "run").write_text("#!/bin/sh\n")
    (laptop.root / "run").chmod(0o700)
    (laptop.root / "latest").symlink_to("folder")
    await laptop.deploy()
    root = laptop.sources.root_of(SHOP)
    kept = (root / "a").stat()
    assert (root / "run").stat().st_mode & 0o777 == 0o700
    assert str((root / "latest").readlink()) == "folder"

    laptop.write(b="two", folder__c=None, folder__d=None, new__deep__e="5")
    (laptop.root / "latest").unlink()
    (laptop.root / "folder").rmdir()
    laptop.write(folder="a file now")
    await laptop.deploy()
    assert laptop.settled == {
        "a": "1", "b": "two", "folder": "a file now", "new/deep/e": "5", "run": "#!/bin/sh\n",
    }  # fmt: skip
    assert not (root / "latest").is_symlink()
    # A container that has it bound goes on with the same file.
    assert (root / "a").stat().st_ino == kept.st_ino


async def test_what_is_there_is_not_sent_again(laptop: Laptop) -> None:
    laptop.write(a="1")
    digest = await laptop.deploy()
    assert await laptop.sources.known(SHOP) == [digest]
    assert await laptop.sources.known(Target("shop", "staging")) == [""]
    again = Sources(laptop.sources.folder, 10_000)  # of the next agent
    assert await again.known(SHOP) == [digest]
    # Somebody has changed it there: it is to be sent once more.
    (laptop.sources.root_of(SHOP) / "a").write_text("other")
    assert await laptop.sources.known(SHOP) == [""]
    await laptop.deploy()
    assert laptop.settled == {"a": "1"}


async def test_a_plan_changes_nothing_and_only_few_are_kept(laptop: Laptop) -> None:
    laptop.write(a="1")
    first = await laptop.deploy()
    sent = []
    for number in range(5):
        laptop.write(a=f"next {number}")
        sent.append(await laptop.send())
        async with laptop.sources.looked_at(SHOP, sent[-1]) as folder:
            assert (folder / "a").read_text() == f"next {number}"
    assert laptop.settled == {"a": "1"}
    assert await laptop.sources.known(SHOP) == [first, *sent[:1:-1]]
    async with laptop.sources.settled(SHOP, sent[3]):
        assert laptop.settled == {"a": "next 3"}
    with pytest.raises(NotFound, match="is not here"):
        async with laptop.sources.settled(SHOP, sent[0]):
            pass


async def test_what_services_have_written_is_theirs(laptop: Laptop) -> None:
    laptop.writable = {"data", "uploads"}
    laptop.write(a="1", data__rows="seed", data__index="seed", uploads__keep="")
    await laptop.deploy()
    root = laptop.sources.root_of(SHOP)
    (root / "data" / "rows").write_text("written by the service")
    (root / "uploads" / "picture").write_text("uploaded")

    laptop.write(a="2", data__rows="seed 2", data__index=None, data__new="x", uploads__keep="2")
    digest = await laptop.deploy()
    # Of a folder that a service has changed nothing is touched; of the other, what was sent.
    expected = {
        "a": "2", "data/index": "seed", "data/rows": "written by the service",
        "uploads/keep": "2", "uploads/picture": "uploaded",
    }  # fmt: skip
    assert laptop.settled == expected
    assert await laptop.sources.known(SHOP) == [digest]
    laptop.write(a="3")
    await laptop.deploy()
    assert laptop.settled == {**expected, "a": "3"}


async def test_a_trap_that_a_service_leaves_leads_nowhere(laptop: Laptop, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("untouched")
    laptop.write(a__file="1", b="2")
    await laptop.deploy()
    root = laptop.sources.root_of(SHOP)
    (root / "a").rename(root / "moved")
    (root / "a").symlink_to(outside)
    (root / "b").unlink()
    (root / "b").symlink_to(outside / "file")
    laptop.write(a__file="new", b="new")
    await laptop.deploy()
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"file": "untouched"}
    assert (root / "a" / "file").read_text() == "new"
    assert not (root / "a").is_symlink()
    assert not (root / "b").is_symlink()


async def test_a_crash_in_the_middle_is_mended_by_the_next_one(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.write(a="1", b="1", gone="1")
    await laptop.deploy()
    laptop.write(a="2", b="2", gone=None, late="2")
    digest = await laptop.send()
    whole = os.rename
    moved: list[str] = []

    def breaking(source: str, target: str, **folders: int) -> None:
        if moved:
            raise OSError(28, "No space left on device")
        moved.append(source)
        whole(source, target, **folders)

    monkeypatch.setattr(os, "rename", breaking)
    with pytest.raises(CompartmentError, match="No space left"):
        async with laptop.sources.settled(SHOP, digest):
            pass
    monkeypatch.undo()
    again = Sources(laptop.sources.folder, 10_000)
    assert (await again.known(SHOP))[0] == ""
    laptop.sources = again
    await laptop.deploy()
    assert laptop.settled == {"a": "2", "b": "2", "late": "2"}


async def test_what_is_not_what_it_should_be_leaves_nothing(laptop: Laptop) -> None:
    laptop.write(a="x" * 6_000)
    listing = laptop.listed()
    place = laptop.sources.root_of(SHOP).parent

    async def refused(digest: str, parts: AsyncIterator[bytes]) -> str:
        with pytest.raises(UsageError) as error:
            await laptop.sources.receive(SHOP, digest, (), parts)
        assert [path.name for path in place.glob("*")] == []
        return error.value.message

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 10_000

    assert "is no digest" in await refused("../evil", endless())
    assert "not what was to be sent" in await refused("0" * 64, pack(laptop.root, listing))
    assert "larger than what is taken" in await refused(listing.digest, endless())
    laptop.write(b="y" * 6_000)
    both = laptop.listed()
    assert "larger than what is taken" in await refused(both.digest, pack(laptop.root, both))


@pytest.mark.parametrize("name", ["..", "../../x", "a/b", "", "ü" * 60])
async def test_any_name_is_a_folder_of_its_own(laptop: Laptop, name: str) -> None:
    root = laptop.sources.root_of(Target("shop", name))
    assert root.parent.parent == laptop.sources.folder
    assert root.parent.name not in (".", "..")
