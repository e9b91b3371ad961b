"""`[[notifications]]` of the settings file: what it may be, and what is said of one that is not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from core.config import templates
from core.config.notifications import Occasion
from core.config.settings import BY_VARIABLE, read_settings, variable_of
from core.errors import ConfigError

if TYPE_CHECKING:
    from core.config.notifications import Notification

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "configuration.md"
SECRET = "xoxb-0123456789"
ON = 'on = ["run.failed"]'
COMMAND = 'command = ["true"]'
URL = 'url = "http://a"'


def read(tmp_path: Path, *tables: str) -> list[Notification]:
    file = tmp_path / "config.toml"
    file.write_text(
        "keep_releases = 3\n" + "".join(f"[[notifications]]\n{each}\n" for each in tables)
    )
    return read_settings({"COMPARTMENT_CONFIG": str(file)}).notifications


def problems(tmp_path: Path, *tables: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, *tables)
    return [str(each).partition("config.toml:")[2] for each in caught.value.problems]


def test_all_of_it(tmp_path: Path) -> None:
    first, second = read(
        tmp_path,
        'on = ["run.failed", "health.unhealthy"]\n'
        'url = "https://u:p@hooks.example.com:8443/T0?a=b"\n'
        'projects = ["shop"]\nenvironments = ["production"]\ntimeout_seconds = 2\nretries = 0\n'
        """template = '''\n{\n"text": "{summary}"\n}\n'''\n"""
        '[notifications.headers]\nAuthorization = "Bearer x"',
        f'on = ["run.finished"]\n{COMMAND}',
    )

    assert first.on == ["run.failed", "health.unhealthy"]
    assert first.headers == {"Authorization": "Bearer x"}
    assert (first.timeout_seconds, first.retries) == (2, 0)
    assert templates.is_json(first.template or "")
    assert (second.command, second.timeout_seconds, second.retries) == (["true"], 10, 5)


def test_none_is_the_usual(tmp_path: Path) -> None:
    assert read(tmp_path) == []


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('on = ["run.faild"]\n' + COMMAND, '3:6: "on[0]" must be one of'),
        ("on = []\n" + COMMAND, '3:6: "on" must not be empty'),
        (COMMAND, '2:3: "on" is missing in "notifications[0]"'),
        (ON, '2:3: "notifications[0]" must have either `command` or `url`'),
        (f'{ON}\n{COMMAND}\nurl = "http://a"', '2:3: "notifications[0]" must have either `c'),
        (f'{ON}\n{COMMAND}\nheaders = {{a = "b"}}', '2:3: "notifications[0]" has `headers`'),
        (f'{ON}\ncommand = "true"', '4:11: "command" must be a list, not "true"'),
        (f"{ON}\ncommand = []", '4:11: "command" must not be empty'),
        (f'{ON}\ncommand = [""]', '4:11: "command[0]" must not be empty'),
        (f'{ON}\nurl = "ftp://a/{SECRET}"', '4:7: "url" must be an address such as'),
        (f'{ON}\nurl = "http:///{SECRET}"', '4:7: "url" must be an address such as'),
        (f'{ON}\nurl = "http://a:x/{SECRET}"', '4:7: "url" must be an address such as'),
        (f'{ON}\nurl = "http://a/{SECRET} b"', '4:7: "url" must be an address such as'),
        (f'{ON}\nurl = "http://a/${{KEY}}"', '4:7: "url" cannot name a variable (write the v'),
        (f'{ON}\n{URL}\nheaders = {{A = "{SECRET}\\r"}}', '5:11: "headers" must be names and'),
        (f'{ON}\n{URL}\nheaders = {{"A:" = "{SECRET}"}}', '5:11: "headers" must be names and'),
        (f'{ON}\n{URL}\nheaders = {{A = "${{KEY}}"}}', '5:11: "headers" cannot name a variable'),
        (f"{ON}\n{COMMAND}\nretries = 21", '5:11: "retries" must be at most 20'),
        (f"{ON}\n{COMMAND}\ntimeout_seconds = 0", '5:19: "timeout_seconds" must be greater'),
        (f"{ON}\n{COMMAND}\nretires = 1", '5:1: unknown key "retires" (did you mean "retries"?)'),
        (
            f'{ON}\n{COMMAND}\ntemplate = "{{projekt}}"',
            '5:12: "template" has the field "projekt", which there is not'
            ' (did you mean "project"?)',
        ),
        (
            f"{ON}\n{COMMAND}\ntemplate = '{{\"text\": {{message}} x}}'",
            '5:12: "template" looks like JSON, and is none: Expecting',
        ),
        (
            f"{ON}\n{COMMAND}\ntemplate = '{{\"text\": {{message}}}}'",
            '5:12: "template" looks like JSON, and is none: Expecting',
        ),
        (
            f"{ON}\n{COMMAND}\ntemplate = '{{\"text\": \"..\\{{project}}\"}}'",
            '5:12: "template" looks like JSON, and is none: Invalid \\escape',
        ),
    ],
)  # fmt: skip
def test_problems(tmp_path: Path, table: str, expected: str) -> None:
    (problem,) = problems(tmp_path, table)

    assert problem.startswith(expected)
    assert SECRET not in problem


def test_a_problem_of_the_second_one_is_placed_there(tmp_path: Path) -> None:
    good = f'{ON}\n{COMMAND}\ntemplate = """\n[[notifications]]\nretries = 1\n"""'
    (problem,) = problems(tmp_path, good, f"{ON}\n{COMMAND}\nretries = -1")

    assert problem.startswith('12:11: "retries" must be at least 0')


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{project}: {message}", 'shop: said "so"\n\\ {project}'),
        ("[{project}]{service}!", "[shop]!"),
        ("{ {project} }", "{ shop }"),
        ('{"text": "{message}", "n": {id}}', None),
        (' [ {"text": "{message}"}, {"n": {id}} ]', None),
    ],
)
def test_what_becomes_of_a_template(template: str, expected: str | None) -> None:
    values = dict.fromkeys(templates.FIELDS) | {
        "project": "shop", "message": 'said "so"\n\\ {project}', "id": 7,
    }  # fmt: skip
    found = templates.render(templates.check(template), values)

    if expected is not None:
        assert found == expected
        return
    told = json.dumps(json.loads(found))
    assert json.dumps(values["message"]) in told
    assert '"n": 7' in told


def test_the_documentation_has_all_fields_and_occasions() -> None:
    text = DOCUMENTATION.read_text().partition("\n## Notifications\n")[2].partition("\n## ")[0]
    fields = dict(re.findall(r"^\| `\{(\w+)\}` \| (.+) \|$", text, re.M))
    occasions = re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", text, re.M)

    assert fields == templates.FIELDS
    assert occasions == list(get_args(Occasion))


def test_what_a_command_is_told_is_no_setting_of_a_command_that_it_runs() -> None:
    told = {f"COMPARTMENT_{name.upper()}" for name in templates.FIELDS}

    assert not told & {variable_of(name) for name in BY_VARIABLE}
