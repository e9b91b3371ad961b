"""Which ports a container listens on, from what the kernel prints."""

from __future__ import annotations

import pytest

from core.engines.docker.listening import for_others, listeners_in

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  inode\n"
ANY, ANY_6 = "00000000", "0" * 32
HERE, HERE_6 = "0100007F", "0" * 24 + "01000000"
MAPPED_HERE = "0" * 16 + "FFFF0000" + HERE
MAPPED = "0" * 16 + "FFFF0000" + "0501A8C0"
OF_THE_ENGINE = "0B00007F"
OWN = "02010A0A"


def row(address: str, port: int, state: str = "0A") -> str:
    nobody = f"{'0' * len(address)}:0000"
    return f"   0: {address}:{port:04X} {nobody} {state} 00000000:00000000 00:00000000 0 0 0 1 1\n"


@pytest.mark.parametrize(
    ("rows", "ports"),
    [
        ([], ()),
        ([row(ANY, 80)], (80,)),
        ([row(OWN, 80), row(ANY, 9000), row(ANY, 443)], (80, 443, 9000)),
        ([row(HERE, 80), row(HERE_6, 81), row(MAPPED_HERE, 82)], ()),
        ([row(ANY_6, 5432)], (5432,)),
        ([row(ANY, 5432), row(ANY_6, 5432)], (5432,)),
        ([row(HERE, 5432), row(ANY_6, 5432)], (5432,)),
        ([row(MAPPED, 6379)], (6379,)),
        ([row(OF_THE_ENGINE, 41234)], ()),
        ([row(OWN, 80, "01"), row(OWN, 81, "06")], ()),
    ],
)
def test_what_others_can_reach(rows: list[str], ports: tuple[int, ...]) -> None:
    assert for_others(listeners_in(HEAD + "".join(rows) + HEAD)) == ports


def test_addresses_are_read_as_the_machine_writes_them() -> None:
    (four,), (six,) = (listeners_in(row(each, 80)) for each in (OWN, "0" * 24 + "01000000"))
    assert [str(four[0]), str(six[0])] == ["10.10.1.2", "::1"]
