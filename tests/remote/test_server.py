from __future__ import annotations

import pytest

from core.errors import UsageError
from core.remote.refusals import last_words, refusal
from core.remote.server import Server
from core.remote.shell import shell_there


@pytest.mark.parametrize(
    ("text", "destination", "port"),
    [
        ("server", "server", None),
        ("me@server.example.com", "me@server.example.com", None),
        ("server:2222", "server", 2222),
        ("first.last@10.0.0.5:22", "first.last@10.0.0.5", 22),
        ("me@[fe80::1%eth0]:22", "me@fe80::1%eth0", 22),
        ("[::1]", "::1", None),
    ],
)
def test_what_names_a_server(text: str, destination: str, port: int | None) -> None:
    found = Server.parse(text)
    assert (found.destination, found.port) == (destination, port)
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "-oProxyCommand=x", "-l@server", "me@-v", "a b", "server:", "server:0", "server:65536",
        "server:ssh", "ssh://server", "me@server/path", "server;reboot", "$(x)", "a@b@c", "::1",
        "server\n", "@server",
    ],
)  # fmt: skip
def test_what_names_none(text: str) -> None:
    with pytest.raises(UsageError, match="is no server"):
        Server.parse(text)


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
         "ssh-keygen -R"),
        ("No ED25519 host key is known for x.\nHost key verification failed.", "accept it once"),
        ("me@server: Permission denied (publickey).", "without a question"),
        ("ssh: Could not resolve hostname x: Name or service not known", "~/.ssh/config"),
        ("ssh: connect to host x port 22: Connection refused", "is sshd running"),
        ("ssh: connect to host x port 22: Connection timed out", "is it up"),
        ("something else", "does this work? ssh -p 2222 me@server"),
    ],
)  # fmt: skip
def test_what_ssh_says_is_passed_on_with_a_way_to_mend_it(said: str, hint: str) -> None:
    error = refusal(Server("me@server", 2222), 255, said)
    assert error.message == f"cannot reach me@server:2222: {said.splitlines()[-1]}"
    assert error.hint is not None
    assert hint in error.hint


def test_the_last_words_are_those_that_mean_something() -> None:
    assert last_words("one\n\ntwo\r\nWarning: Permanently added 'x' to ...\n@@@@\n") == "two"
    assert last_words("") == ""


def test_a_shell_there_is_quoted_for_its_login_shell() -> None:
    query = {"project": "shop", "environment": "it's a test", "service": "web"}
    words = shell_there("me@[::1]:22", query)
    assert words[:6] == ["ssh", "-t", "-p", "22", "--", "me@::1"]
    assert " ".join(words[6:]) == (
        "compartment shell --project shop --env 'it'\"'\"'s a test' --service web"
    )
