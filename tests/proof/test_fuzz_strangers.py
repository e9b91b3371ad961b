"""What others hand over: archives of sources for `--host`, certificates and keys.

Shown: whatever an archive holds, it is unpacked into its own folder and nowhere else, or refused in
words; whatever stands in the files of a certificate and its key, they are usable or refused in
words. Never a traceback or a hang; an archive that says that it is endless takes no memory for
that. Bombs are refused: headers within headers, headers of a gigabyte, sparse files, a million
empty files.

How: real archives are mutated in their bytes and, with checksums that are right, in the fields of
their headers; certificates and keys in their PEM and in the DER within. Around the folder of each
archive lies another one that must stay as it is.
"""

from __future__ import annotations

import base64
import contextlib
import io
import re
import shutil
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

from core.certificates.certificate import check_serves, read_certificate
from core.errors import CompartmentError
from core.sources import unpacking
from core.sources.listing import listing_of
from core.sources.unpacking import unpack
from tests.certificates.issuing import Authority
from tests.proof.fuzz.mutating import mutated
from tests.proof.fuzz.refusals import check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.proof.fuzz.trying import Fuzz

LIMIT_BYTES = 100_000
BLOCK = tarfile.BLOCKSIZE
NAMES = st.sampled_from(
    ["a", "a/b", "a/b/c", "../x", "/etc/x", "a/../../x", ".", "..", "", "a//b", "a/", "é" * 90,
     "x" * 300, "a\nb", "\x1b[31m", "con", "a/b/../c", "./a"]
)  # fmt: skip
KINDS = st.sampled_from([*map(bytes, zip(range(0x30, 0x39))), b"\0", *b"xgLKSDVMNA\xff".split()])


def archive(*entries: tuple[str, bytes, bytes, str], form: int) -> bytes:
    """Entries with a name, a kind, their content, and where they lead."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as tar:
        for name, kind, content, leads_to in entries:
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(content), kind, leads_to
            with contextlib.suppress(ValueError):
                tar.addfile(info, io.BytesIO(content))
    return made.getvalue()


ENTRIES = st.tuples(NAMES, KINDS, st.binary(max_size=700), NAMES)
ARCHIVES = st.lists(ENTRIES, max_size=6).flatmap(
    lambda entries: st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]).map(
        lambda form: archive(*entries, form=form)
    )
)
GOOD = tuple(
    archive(
        ("app/run", tarfile.REGTYPE, b"x" * 600, ""),
        ("l" * 200, tarfile.REGTYPE, b"", ""),
        ("app/link", tarfile.SYMTYPE, b"", "run"),
        ("\udcff", tarfile.REGTYPE, b"y", ""),
        form=form,
    )
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)
)


@st.composite
def forged(draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """An archive whose headers say anything in any field, with checksums that are right."""
    text = bytearray(draw(st.sampled_from(GOOD) | ARCHIVES))
    fields = [(0, 100), (100, 8), (108, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8)]
    for _ in range(draw(st.integers(1, 3))):
        block = draw(st.integers(0, max(0, len(text) // BLOCK - 1))) * BLOCK
        at, width = draw(st.sampled_from([*fields, (345, 155), (386, 60), (482, 2)]))
        value = draw(
            st.binary(min_size=1, max_size=width)
            | st.sampled_from([b"\x80" + b"\xff" * 11, b"\xff" * 12, b"77777777777", b"-1", b" "])
        )[:width]
        text[block + at : block + at + len(value)] = value
        head = bytes(text[block : block + BLOCK])
        if len(head) == BLOCK:
            total = sum(head[:148]) + sum(head[156:]) + 8 * 32
            text[block + 148 : block + 156] = b"%06o\0 " % total
    return bytes(text)


@pytest.fixture
def unpacked(tmp_path: Path, fuzz: Fuzz) -> Callable[[bytes], None]:
    around = tmp_path / "around"

    def take(content: bytes) -> None:
        shutil.rmtree(around, ignore_errors=True)
        around.mkdir()
        (around / "keep").write_text("as it was")
        packed = tmp_path / "archive.tar"
        packed.write_bytes(content)
        # What the disk refuses, such as a name that is too long, is told in its own words.
        with fuzz.meter.measured(len(content)), contextlib.suppress(OSError):
            try:
                _ = listing_of(unpack(packed, around / "out", LIMIT_BYTES), ()).digest
            except CompartmentError as error:
                check(error)
        assert sorted(each.name for each in around.iterdir()) == ["keep", "out"]
        assert (around / "keep").read_text() == "as it was"
        assert sorted(each.name for each in tmp_path.iterdir()) == ["archive.tar", "around"]
        kept = [each for each in (around / "out").rglob("*") if not each.is_symlink()]
        assert sum(each.stat().st_size for each in kept if each.is_file()) <= LIMIT_BYTES

    return take


def test_archives(unpacked: Callable[[bytes], None], fuzz: Fuzz) -> None:
    fuzz("archives", unpacked, mutated(GOOD) | forged() | ARCHIVES, short=60, whole_s=45)


def header(kind: bytes, size: int, name: str = "x", **fields: Any) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.GNU_FORMAT)


def pax(fields: Mapping[str, str]) -> bytes:
    """An extended header."""
    lines = b""
    for name, value in fields.items():
        rest = f" {name}={value}\n".encode()
        size = len(rest) + len(str(len(rest)))
        lines += b"%d" % (size if len(str(size)) + len(rest) == size else size + 1) + rest
    return header(b"x", len(lines)) + lines + b"\0" * (-len(lines) % BLOCK)


FILE = header(b"0", 1) + b"x" + b"\0" * (BLOCK - 1)
BOMBS: Mapping[str, bytes] = {
    "headers within headers": pax({"a": "b"}) * 3000 + FILE,
    "long names within each other": (header(b"L", 2) + b"a\0" + b"\0" * 510) * 3000 + FILE,
    "a header of 100 GB": header(b"x", 10**11) + b"\0" * 4096,
    "a name of 8 MB": header(b"L", 8 << 20) + b"a" * (8 << 20) + FILE,
    "a header of 8 MB": header(b"x", 8 << 20) + b"9" * (8 << 20) + FILE,
    "a negative header": header(b"x", -512) + b"\0" * 4096,
    "a file of 100 GB": header(b"0", 10**11) + b"\0" * 4096,
    "a size in an extended header": pax({"size": "99999999999999"}) + FILE,
    "no number as size": pax({"size": "nan"}) + FILE,
    "a time that is none": pax({"mtime": "1e999"}) + FILE,
    "a time before all": pax({"mtime": "-9e18"}) + FILE,
    "a sparse file": pax({
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "99999999999",
        "GNU.sparse.name": "s"}) + header(b"0", 512) + b"1\n0\n512\n".ljust(512, b"\0"),
    "a sparse map without end": pax({
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1"})
    + header(b"0", 8 << 20) + b"4000000\n" + b"1\n" * (4 << 20),
    "many empty files": b"".join(header(b"0", 0, f"f{n}") for n in range(4000)),
    "a deep path": header(b"L", 60_000) + b"a/" * 30_000 + b"\0" * 416 + FILE,
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs(
    unpacked: Callable[[bytes], None], fuzz: Fuzz, bomb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MOST_FILES", 1000)
    unpacked(BOMBS[bomb])
    fuzz.report(f"archive: {bomb}", 1)


PEM = re.compile(rb"(-----BEGIN [A-Z ]+-----\n)([A-Za-z0-9+/=\n]+)(-----END)")


@st.composite
def der_mutated(draw: Callable[[st.SearchStrategy[Any]], Any], pem: bytes) -> bytes:
    """The same PEM around DER that is not the same."""
    found = PEM.search(pem)
    assert found is not None
    changed = draw(mutated([base64.b64decode(found[2])]))
    return pem[: found.start(2)] + base64.encodebytes(changed) + pem[found.end(2) :]


def test_certificates(fuzz: Fuzz) -> None:
    leaf = Authority().issue("shop.example.com")
    chain, key = leaf.chain_pem, leaf.key_pem

    def take(chain: bytes, key: bytes) -> None:
        with fuzz.meter.measured(len(chain) + len(key)):
            try:
                check_serves(read_certificate(chain, key), "shop.example.com")
            except CompartmentError as error:
                check(error)

    chains = mutated([chain]) | der_mutated(chain) | st.just(chain)
    keys = mutated([key]) | der_mutated(key) | st.just(key)
    fuzz("certificates", take, chains, keys, short=60, whole_s=30)
