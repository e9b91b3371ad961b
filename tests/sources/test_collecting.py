"""What of a project is sent: what a deploy here would take, and what is bound; nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.config.compose.options import ComposeOptions
from core.config.footprint import footprint
from core.config.project import find_project, load_project, pinned
from core.errors import ConfigError
from core.sources.collecting import Collected, check_size, collect

if TYPE_CHECKING:
    from pathlib import Path


def write(root: Path, **files: str) -> None:
    """Files by their paths, in which two underscores are a slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def collected(root: Path, *, options: ComposeOptions | None = None) -> Collected:
    options = options or ComposeOptions()
    found = find_project(root, options)
    project = load_project(found, options)
    options = pinned(project, found, options)
    with footprint() as read:
        project = load_project(project.root, options)
    return collect(project, read)


def test_of_a_descriptor_it_is_what_a_deploy_would_copy(tmp_path: Path) -> None:
    write(
        tmp_path,
        compartment_dot_yml="name: shop\nservices:\n  web: {path: web, run: {command: x}}\n",
        compartment_dot_routes_dot_yml="version: 1\nroutes:\n- {on: web, path: /, to: web}\n",
        _dot_gitignore="*.log\nnode_modules/\n",
        web__app_dot_py="x",
        web__a_dot_log="x",
        web__node_modules__big="x",
        web___dot_git__HEAD="x",
        elsewhere__notes="x",
    )
    (tmp_path / "web" / "latest").symlink_to("app.py")
    assert set(collected(tmp_path).sizes) == {
        "compartment.yml", "compartment.routes.yml", ".gitignore", "web/app.py", "web/latest",
    }  # fmt: skip


def test_with_a_dockerfile_it_is_what_either_engine_would_take(tmp_path: Path) -> None:
    write(
        tmp_path,
        compartment_dot_yml="name: shop\nservices:\n  web: web\n",
        _dot_gitignore="dist/\n",
        web__Dockerfile="FROM scratch\n",
        web___dot_dockerignore="docs\nDockerfile\n",
        web__dist__site="x",
        web__docs__page="x",
    )
    # Without docs a process would be another one, without dist an image.
    assert set(collected(tmp_path).sizes) == {
        "compartment.yml", ".gitignore", "web/Dockerfile", "web/.dockerignore", "web/dist/site",
        "web/docs/page",
    }  # fmt: skip


COMPOSE = """\
name: shop
include: [parts/db.yml]
services:
  web:
    build: {context: app, dockerfile: ../docker/web.Dockerfile}
    env_file: [web.env]
    volumes:
      - ./nginx.conf:/etc/nginx.conf
      - ./site:/site:ro
      - ./data:/data
      - ./uploads:/uploads
      - /var/run/docker.sock:/var/run/docker.sock
      - ./missing:/missing
    secrets: [key]
secrets:
  key: {file: ./key.txt}
"""


def test_of_compose_files_it_is_all_that_they_read_build_and_bind(tmp_path: Path) -> None:
    write(
        tmp_path,
        compose_dot_yaml=COMPOSE,
        compose_dot_override_dot_yaml="services: {web: {labels: {a: b}}}\n",
        parts__db_dot_yml="services:\n  db: {image: postgres, env_file: [db.env]}\n",
        parts__db_dot_env="A=1\n",
        _dot_env="B=2\n",
        web_dot_env="C=3\n",
        _dot_gitignore="key.txt\nsite/\ndata/\n",
        app__main_dot_py="x",
        app__tests__t_dot_py="x",
        app___dot_dockerignore="tests\n",
        docker__web_dot_Dockerfile="FROM scratch\n",
        nginx_dot_conf="x",
        site__index_dot_html="x",
        data__rows="x",
        uploads__keep="x",
        key_dot_txt="x",
        unused__file="x",
    )
    found = collected(tmp_path)
    assert set(found.sizes) == {
        "compose.yaml", "compose.override.yaml", "parts/db.yml", "parts/db.env", ".env", "web.env",
        "app/main.py", "app/.dockerignore", "docker/web.Dockerfile", "nginx.conf",
        "site/index.html", "uploads/keep", "key.txt",
    }  # fmt: skip
    assert found.writable == {"data", "uploads"}
    assert found.unsent == {"data"}


@pytest.mark.parametrize(
    ("service", "named"),
    [
        ("volumes: ['../shared:/shared']", "/shared of web: {parent}/shared"),
        ("build: ../other", "the build context of web: {parent}/other"),
        ("env_file: [../web.env]", "the file web.env: {parent}/web.env"),
        ("volumes: [{type: bind, source: ../../x, target: /x}]", "/x of web: "),
    ],
)
def test_what_lies_outside_is_refused_by_name(tmp_path: Path, service: str, named: str) -> None:
    root = tmp_path / "shop"
    text = f"services:\n  web:\n    image: nginx\n    {service}\n"
    write(root, compose_dot_yaml=text)
    write(tmp_path, web_dot_env="A=1\n", other__Dockerfile="FROM scratch\n")
    with pytest.raises(ConfigError) as refused:
        collected(root)
    assert named.format(parent=tmp_path) in refused.value.message
    assert refused.value.hint == f"move it into {root}"


def test_a_compose_file_of_another_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, a__one_dot_yaml="services: {web: {image: x}}\n", b__two_dot_yaml="name: shop\n")
    files = (str(tmp_path / "a" / "one.yaml"), str(tmp_path / "b" / "two.yaml"))
    with pytest.raises(ConfigError, match=r"two\.yaml"):
        collected(tmp_path / "a", options=ComposeOptions(files=files))


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    write(
        tmp_path, compartment_dot_yml="name: shop\nservices:\n  web: {path: ., run: {command: x}}\n"
    )
    (tmp_path / "away").symlink_to("/etc")
    with pytest.raises(ConfigError, match="away is a link that leads out of the project, to /etc"):
        collected(tmp_path)


def test_too_much_is_refused_with_what_is_largest(tmp_path: Path) -> None:
    sizes = {"a/b/one": 600_000, "a/two": 100_000, "c/three": 400_000, "four": 10}
    found = Collected(tmp_path, sizes)
    check_size(found, 1_100_010, "server")
    with pytest.raises(ConfigError) as refused:
        check_size(found, 1_000_000, "server")
    assert refused.value.message == (
        "the source is 1.1 MB, more than server takes (1.0 MB);"
        " largest: a 0.7 MB, a/b 0.6 MB, c 0.4 MB"
    )
