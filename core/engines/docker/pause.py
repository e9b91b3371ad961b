"""The image of a holder: one static program that waits for ever, and nothing else.

It is made here, byte by byte, because nothing can be pulled on many machines, and because 129
bytes can be read in full. Docker's archive format names an image by its content, so making it
twice changes nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_X86_64: Final = bytes.fromhex(
    "b822000000"  # mov eax, 34      pause()
    "0f05"  # syscall
    "ebf7"  # jmp to the start
)
_AARCH64: Final = struct.pack(
    "<8I",
    0xD2800000,  # mov x0, #0       ppoll(NULL, 0, NULL, NULL, 0): there is no pause()
    0xD2800001,  # mov x1, #0
    0xD2800002,  # mov x2, #0
    0xD2800003,  # mov x3, #0
    0xD2800004,  # mov x4, #0
    0xD2800928,  # mov x8, #73
    0xD4000001,  # svc #0
    0x17FFFFF9,  # b to the start
)
_PROGRAMS: Final = {"amd64": (62, _X86_64), "arm64": (183, _AARCH64)}
"""The number of the machine in an ELF header, and the code, by Docker's name of the machine."""

ARCHITECTURES: Final = frozenset(_PROGRAMS)

_LOADED_AT: Final = 0x400000
_PAGE: Final = 0x10000
"""The largest page that a kernel of these machines uses."""

_FILE_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT_HEADER: Final = struct.Struct("<IIQQQQQQ")


def program(architecture: str) -> bytes:
    """An executable of 64-bit Linux, one segment that is read and executed."""
    machine, code = _PROGRAMS[architecture]
    start = _FILE_HEADER.size + _SEGMENT_HEADER.size
    size = start + len(code)
    magic = b"\x7fELF\x02\x01\x01"  # 64 bits, little endian, version 1
    header = _FILE_HEADER.pack(
        magic,
        2,  # an executable that is not relocated
        machine,
        1,
        _LOADED_AT + start,
        _FILE_HEADER.size,
        0,  # no sections
        0,
        _FILE_HEADER.size,
        _SEGMENT_HEADER.size,
        1,
        0,
        0,
        0,
    )
    readable_executable, loaded = 5, 1
    segment = _SEGMENT_HEADER.pack(
        loaded, readable_executable, 0, _LOADED_AT, _LOADED_AT, size, size, _PAGE
    )
    return header + segment + code


def tag(labels: Mapping[str, str]) -> str:
    """The name of the image, the same on every machine, another one when anything in it changes."""
    content = "".join(
        hashlib.sha256(_config(architecture, labels)).hexdigest() for architecture in _PROGRAMS
    )
    return f"compartment/holder:{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def archive(architecture: str, labels: Mapping[str, str]) -> bytes:
    """The image as `docker load` takes it."""
    config = _config(architecture, labels)
    named = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": named, "RepoTags": [tag(labels)], "Layers": ["layer.tar"]}]
    return _tar(
        {
            named: config,
            "layer.tar": _layer(architecture),
            "manifest.json": json.dumps(manifest).encode(),
        }
    )


def _config(architecture: str, labels: Mapping[str, str]) -> bytes:
    layer = hashlib.sha256(_layer(architecture)).hexdigest()
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "Entrypoint": ["/pause"],
            "User": "65534:65534",
            # The first process of a container ignores signals that it has no handler for: with the
            # usual one, an engine that shuts down would wait ten seconds for every holder.
            "StopSignal": "SIGKILL",
            "Labels": dict(labels),
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
    }
    return json.dumps(config, sort_keys=True).encode()


def _layer(architecture: str) -> bytes:
    return _tar({"pause": program(architecture)})


def _tar(files: Mapping[str, bytes]) -> bytes:
    """Without times and owners, so that the same files are the same bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o555
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()
