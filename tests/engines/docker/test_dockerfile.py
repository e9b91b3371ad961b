from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from core.engines.docker.dockerfile import generated
from core.errors import ConfigError
from core.model import Build, Service, ServiceKind

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = Service("web", ".")
NODE = {"server.js": "", "package.json": '{"scripts": {"start": "node server.js"}}'}


def _lines(folder: Path, files: dict[str, str], **changes: Any) -> list[str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    text = generated(folder, Service("web", ".", **changes))
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _command(lines: list[str]) -> str:
    (command,) = [line for line in lines if line.startswith("CMD ")]
    shell, option, text = json.loads(command.removeprefix("CMD "))
    assert (shell, option) == ("/bin/sh", "-c")
    return str(text)


def test_python_as_a_whole(tmp_path: Path) -> None:
    files = {"main.py": "", "requirements.txt": "flask\n-r more.txt", "more.txt": "gunicorn"}
    assert _lines(
        tmp_path, files, build=Build(env=("TOKEN",), runtime_packages=("curl", "git"))
    ) == [
        "FROM python:3.13-slim",
        "RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y"
        " --no-install-recommends curl git && rm -rf /var/lib/apt/lists/*",
        "RUN useradd --create-home app && mkdir /app && chown app:app /app",
        "WORKDIR /app",
        "ARG TOKEN",
        "COPY --chown=app:app requirements.txt more.txt ./",
        "RUN pip install --no-cache-dir --root-user-action=ignore -r requirements.txt",
        "USER app",
        "ENV PYTHONUNBUFFERED=1",
        "LABEL compartment.init=true",
        "ENV HOST=0.0.0.0",
        "EXPOSE 3000",
        'CMD ["/bin/sh", "-c", "exec python3 main.py"]',
        "COPY --chown=app:app . .",
    ]


def test_build_packages_stay_out_of_what_runs(tmp_path: Path) -> None:
    build = Build(build_packages=("gcc",), runtime_packages=("curl",), command="make all")
    lines = _lines(tmp_path, {"main.py": "", "requirements.txt": "x"}, build=build)
    second = lines.index("FROM python:3.13-slim")
    assert lines[0] == "FROM python:3.13-slim AS build"
    assert " gcc curl " in lines[1]
    assert lines[second - 1] == "RUN make all"
    assert " gcc " not in lines[second + 1]
    assert lines[-2:] == [
        "COPY --from=build /usr/local /usr/local",
        "COPY --chown=app:app --from=build /app /app",
    ]


def test_the_reader_is_told_what_it_was_made_for(tmp_path: Path) -> None:
    _lines(tmp_path, {"main.py": "", "requirements.txt": ""})
    text = generated(tmp_path, SERVICE)
    assert text.startswith("# Made for what the folder holds: requirements.txt, main.py.\n")
    assert "save it as Dockerfile" in text


@pytest.mark.parametrize(
    ("files", "install"),
    [
        ({"uv.lock": "", "pyproject.toml": ""}, "uv export --frozen"),
        ({"poetry.lock": "", "pyproject.toml": ""}, "poetry install --only main"),
        ({"Pipfile": "", "Pipfile.lock": ""}, "pipenv install --system --deploy"),
        (
            {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["a>=1", "b[c]"]'},
            "'a>=1' 'b[c]'",
        ),
    ],
)
def test_python_packages_come_before_the_source(
    tmp_path: Path, files: dict[str, str], install: str
) -> None:
    lines = _lines(tmp_path, {"main.py": "", **files})
    (at,) = [index for index, line in enumerate(lines) if install in line]
    assert set(lines[at - 1].split()[2:-1]) == set(files)
    assert lines[-1] == "COPY --chown=app:app . ."


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "-e ."},
        {"requirements.txt": "./lib"},
        {"requirements.txt": "x @ file:///app/lib"},
        {"requirements.txt": "-r lists/more.txt", "lists/more.txt": ""},
        {"pyproject.toml": '[build-system]\nrequires = ["hatchling"]'},
    ],
)
def test_what_reads_the_source_is_installed_after_it(tmp_path: Path, files: dict[str, str]) -> None:
    lines = _lines(tmp_path, {"main.py": "", **files})
    assert lines.index("COPY --chown=app:app . .") < next(
        index for index, line in enumerate(lines) if "pip install" in line
    )


@pytest.mark.parametrize(
    ("files", "base"),
    [
        ({}, "3.13"),
        ({".python-version": "3.11.4\n"}, "3.11"),
        ({"runtime.txt": "python-3.10.2"}, "3.10"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.11"'}, "3.13"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.14"'}, "3.14"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.9,<3.12"'}, "3.11"),
        ({"pyproject.toml": '[project]\nrequires-python = "==3.12.*"'}, "3.12"),
    ],
)
def test_python_of_the_version_that_is_asked_for(
    tmp_path: Path, files: dict[str, str], base: str
) -> None:
    assert _lines(tmp_path, {"main.py": "", **files})[0] == f"FROM python:{base}-slim"


@pytest.mark.parametrize(
    ("lock", "install", "build"),
    [
        ("package-lock.json", "RUN npm ci", "RUN npm run build"),
        ("yarn.lock", "RUN yarn install --frozen-lockfile", "RUN yarn run build"),
        (
            "pnpm-lock.yaml",
            "RUN corepack pnpm install --frozen-lockfile",
            "RUN corepack pnpm run build",
        ),
    ],
)
def test_node_as_a_whole(tmp_path: Path, lock: str, install: str, build: str) -> None:
    package = {"scripts": {"start": "next start -p $PORT", "build": "next build"}}
    assert _lines(tmp_path, {"package.json": json.dumps(package), lock: "", ".npmrc": ""}) == [
        "FROM node:22-slim",
        "RUN useradd --create-home app && mkdir /app && chown app:app /app",
        "WORKDIR /app",
        "USER app",
        f"COPY --chown=app:app package.json {lock} .npmrc ./",
        install,
        "ENV NODE_ENV=production",
        "ENV PATH=/app/node_modules/.bin:$PATH",
        "LABEL compartment.init=true",
        "ENV HOST=0.0.0.0",
        "EXPOSE 3000",
        'CMD ["/bin/sh", "-c", "exec next start -p $PORT"]',
        "COPY --chown=app:app . .",
        build,
    ]


def test_newer_yarn_is_fetched_by_corepack(tmp_path: Path) -> None:
    package = {"scripts": {"start": "node ."}, "packageManager": "yarn@4.1.0"}
    lines = _lines(tmp_path, {"package.json": json.dumps(package), "yarn.lock": ""})
    assert "RUN corepack yarn install --immutable" in lines


def test_node_without_packages_installs_none(tmp_path: Path) -> None:
    assert not [line for line in _lines(tmp_path, NODE) if "npm" in line]


def test_npm_stays_where_it_does_more_than_start(tmp_path: Path) -> None:
    package = {"scripts": {"start": "node .", "prestart": "node prepare"}}
    assert _command(_lines(tmp_path, {"package.json": json.dumps(package)})) == "exec npm start"


@pytest.mark.parametrize(
    "more",
    [
        {"scripts": {"start": "node .", "postinstall": "node make.js"}},
        {"workspaces": ["packages/*"]},
        {"dependencies": {"own": "file:./own"}},
    ],
)
def test_what_an_installation_may_read_is_there(tmp_path: Path, more: dict[str, Any]) -> None:
    package = {"scripts": {"start": "node ."}, **more}
    lines = _lines(tmp_path, {"package.json": json.dumps(package), "package-lock.json": ""})
    assert lines.index("COPY --chown=app:app . .") < lines.index("RUN npm ci")


@pytest.mark.parametrize(
    ("files", "base"),
    [
        ({".nvmrc": "v20.11.0"}, "20"),
        ({".nvmrc": "lts/*"}, "22"),
        ({"package.json": '{"scripts": {"start": "x"}, "engines": {"node": ">=18"}}'}, "22"),
        ({"package.json": '{"scripts": {"start": "x"}, "engines": {"node": "^24.1"}}'}, "24"),
    ],
)
def test_node_of_the_release_that_is_asked_for(
    tmp_path: Path, files: dict[str, str], base: str
) -> None:
    assert _lines(tmp_path, {**NODE, **files})[0] == f"FROM node:{base}-slim"


def test_go_is_built_in_one_image_and_run_in_another(tmp_path: Path) -> None:
    files = {"go.mod": "module x\n\ngo 1.26\n", "go.sum": "", "cmd/shop/main.go": "package main"}
    assert _lines(tmp_path, {**files, "cmd/shop/main_test.go": "package main"}) == [
        "FROM golang:1.26-bookworm AS build",
        "WORKDIR /app",
        "COPY go.mod go.sum ./",
        "RUN go mod download",
        "COPY . .",
        "RUN go build -o /app/bin/service ./cmd/shop",
        "FROM debian:bookworm-slim",
        "RUN useradd --create-home app && mkdir /app && chown app:app /app",
        "WORKDIR /app",
        "USER app",
        "LABEL compartment.init=true",
        "ENV HOST=0.0.0.0",
        "EXPOSE 3000",
        'CMD ["/bin/sh", "-c", "exec ./bin/service"]',
        "COPY --from=build /etc/ssl/certs /etc/ssl/certs",
        "COPY --chown=app:app --from=build /app /app",
    ]


@pytest.mark.parametrize("mains", [[], ["cmd/a/main.go", "cmd/b/main.go"]])
def test_go_without_one_program_is_an_error(tmp_path: Path, mains: list[str]) -> None:
    with pytest.raises(ConfigError, match="program could be the one to run") as caught:
        _lines(tmp_path, {"go.mod": "module x", **dict.fromkeys(mains, "package main")})
    assert "run.command" in (caught.value.hint or "")
    build = Build(command="go build -o shop ./cmd/a")
    lines = _lines(tmp_path, {}, build=build, run_command="./shop")
    assert "RUN go build -o shop ./cmd/a" in lines
    assert _command(lines) == "exec ./shop"


def test_static_files_are_served_on_the_port(tmp_path: Path) -> None:
    command = _command(_lines(tmp_path, {"index.html": ""}))
    assert command == 'exec python3 -m http.server "$PORT" --bind 0.0.0.0'


@pytest.mark.parametrize(
    ("files", "changes", "base", "command"),
    [
        ({"Procfile": "web: gunicorn shop", "app/x.py": ""}, {}, "debian", "exec gunicorn shop"),
        ({"Procfile": "web: gunicorn shop", "x.py": ""}, {}, "python", "exec gunicorn shop"),
        ({"Procfile": "web: A=1 python3 x", **NODE}, {}, "python", "A=1 exec python3 x"),
        ({**NODE, "x.py": ""}, {}, "node", "exec node server.js"),
        ({}, {"run_command": "exec python3 -m shop"}, "python", "exec python3 -m shop"),
        ({}, {"run_command": "npm start"}, "node", "exec npm start"),
        (NODE, {"run_command": "./a && ./b"}, "node", "./a && ./b"),
    ],
)
def test_the_language_is_that_of_the_command(
    tmp_path: Path, files: dict[str, str], changes: dict[str, Any], base: str, command: str
) -> None:
    lines = _lines(tmp_path, files, **changes)
    assert lines[0].startswith(f"FROM {base}:")
    assert _command(lines) == command


def test_only_what_is_routable_exposes_a_port(tmp_path: Path) -> None:
    files = {"main.py": ""}
    assert "EXPOSE 8000" in _lines(tmp_path, files, port=8000)
    lines = _lines(tmp_path, files, kind=ServiceKind.WORKER)
    assert not [line for line in lines if line.startswith("EXPOSE")]


@pytest.mark.parametrize("command", ["a\nb", "[ -f x ] && y", "--x", "cat <<X", "a \\", "a\t\\"])
def test_a_command_that_a_dockerfile_would_misread_is_quoted(tmp_path: Path, command: str) -> None:
    lines = _lines(tmp_path, {"main.py": ""}, build=Build(command=command))
    assert json.loads(lines[-1].removeprefix("RUN "))[2] == command


def test_nothing_to_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing says how to run"):
        _lines(tmp_path, {"README.md": ""})


@pytest.mark.parametrize("files", [{"pyproject.toml": "["}, {"package.json": "{"}])
def test_a_broken_file_is_named(tmp_path: Path, files: dict[str, str]) -> None:
    (name,) = files
    with pytest.raises(ConfigError, match=name):
        _lines(tmp_path, {"main.py": "", **files})
