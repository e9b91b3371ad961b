"""The table of keys of a service."""

from __future__ import annotations

from typing import Any

from core.config.compose.keys.builds import BUILD, build
from core.config.compose.keys.commands import (
    HOOK,
    argv,
    container_name,
    cpu_time,
    depends_on,
    image,
    namespace,
    network_mode,
    pull_policy,
    restart,
    volumes_of,
)
from core.config.compose.keys.deploys import DEPLOY, RESOURCES
from core.config.compose.keys.files import env_files, label_files, service_files
from core.config.compose.keys.healthchecks import HEALTHCHECK, healthcheck
from core.config.compose.keys.mounts import mounts
from core.config.compose.keys.networks import extra_hosts, links
from core.config.compose.keys.ports import expose, ports
from core.config.compose.keys.quantities import duration, size, size_or_unlimited
from core.config.compose.keys.resources import BLKIO, LOGGING, devices, gpus, ulimits
from core.config.compose.keys.scalars import anything, boolean, name, number, text, whole
from core.config.compose.keys.shapes import (
    Key,
    Keyed,
    Tier,
    listed,
    noted,
    pairs,
    settings,
    short_or_long,
    texts,
)
from core.config.document import quote

_WINDOWS = "it is of Windows only"
_HOOK = "hooks are not run: put it into the entrypoint, or a service that others wait for"

EXTENDS = Keyed(
    {
        "service": Key(name, "the service whose keys are taken over"),
        "file": Key(name, "the file that it is in; this one without it"),
    },
    required=("service",),
)


def _short_extends(line: str, _: Any) -> dict[str, str]:
    return {"service": line}


_BASICS = {
    "image": Key(image, "what is run, or the name that a build gets"),
    "build": Key(build, "how the image is made"),
    "pull_policy": Key(pull_policy, "when the image is pulled"),
    "pull_refresh_after": noted(text, "use pull_policy: every_<duration>"),
    "platform": Key(text, "such as linux/amd64"),
    "container_name": Key(container_name, "given to the live container"),
    "command": Key(argv, "the arguments", may_be_empty=True),
    "entrypoint": Key(argv, "the program", may_be_empty=True),
    "working_dir": Key(text, "where it starts"),
    "user": Key(text, "who it runs as"),
    "environment": Key(pairs, "variables; one without a value is taken from the caller"),
    "env_file": Key(env_files, "files of variables; `environment` comes over them"),
    "labels": Key(settings, "labels of the container"),
    "label_file": Key(label_files, "files of labels; `labels` comes over them"),
    "annotations": Key(settings, "annotations of the container"),
    "profiles": Key(listed(name), "only where one of them is on"),
    "extends": Key(short_or_long(_short_extends, EXTENDS), "another service as the base"),
}
_LIFE = {
    "depends_on": Key(depends_on, "what is started first, and when it is far enough"),
    "healthcheck": Key(healthcheck, "when it is well; asked often before the switch"),
    "restart": Key(restart, "when it is started again; always means unless-stopped"),
    "stop_signal": Key(text, "what tells it to end"),
    "stop_grace_period": Key(duration, "how long it may take to end"),
    "init": Key(boolean, "a small init collects what its children leave"),
    "deploy": Key(DEPLOY, "replicas, limits, and how a new version takes over"),
    "scale": Key(whole(0), "the same as deploy.replicas"),
    "logging": Key(LOGGING, "who keeps the log"),
    "attach": noted(boolean, "all logs are kept"),
    "develop": noted(anything, "files are not watched: the dashboard deploys again"),
    "post_start": noted(listed(HOOK), _HOOK),
    "pre_start": noted(listed(HOOK), _HOOK),
    "pre_stop": noted(listed(HOOK), _HOOK),
    "tty": Key(boolean, "with a terminal"),
    "stdin_open": Key(boolean, "with an open standard input"),
}
_NETWORK = {
    "ports": Key(ports, "ports of this machine; the gateway listens there"),
    "expose": Key(expose, "ports for other services"),
    "networks": Key(links, "the networks that it is on"),
    "network_mode": Key(network_mode, "host, none or service:NAME"),
    "hostname": Key(text, "its name for itself"),
    "domainname": Key(text, "its domain for itself"),
    "mac_address": Key(text, "the address of its interface"),
    "links": Key(listed(name), "another name for a service"),
    "external_links": noted(listed(name), "use an external network"),
    "dns": Key(texts, "name servers"),
    "dns_opt": Key(texts, "options for looking names up"),
    "dns_search": Key(texts, "domains that names are looked up in"),
    "extra_hosts": Key(extra_hosts, "further lines of /etc/hosts"),
}
_FILES = {
    "volumes": Key(mounts, "volumes, folders of this machine, tmpfs"),
    "volumes_from": Key(listed(volumes_of), "the volumes of another service"),
    "tmpfs": Key(texts, "folders in memory"),
    "read_only": Key(boolean, "its own file system cannot be written to"),
    "secrets": Key(service_files, "secrets, as files"),
    "configs": Key(service_files, "configs, as files"),
    "shm_size": Key(size, "shared memory"),
    "storage_opt": Key(anything, "few engines can; limit a volume instead", Tier.REFUSED),
}
_RIGHTS = {
    "cap_add": Key(texts, "further capabilities"),
    "cap_drop": Key(texts, "capabilities that it lacks"),
    "privileged": Key(boolean, "may do what root may"),
    "security_opt": Key(texts, "security labels"),
    "group_add": Key(texts, "further groups"),
    "userns_mode": Key(text, "its user namespace"),
    "pid": Key(namespace, "its process namespace"),
    "ipc": Key(namespace, "its IPC namespace"),
    "uts": Key(namespace, "its UTS namespace"),
    "cgroup": Key(text, "its cgroup namespace: host or private"),
    "cgroup_parent": Key(text, "the cgroup above it"),
    "devices": Key(devices, "devices of this machine"),
    "device_cgroup_rules": Key(texts, "devices that it may use"),
    "gpus": Key(gpus, "GPUs: all, or which"),
    "runtime": Key(text, "the engine's runtime"),
    "use_api_socket": Key(boolean, "mount /var/run/docker.sock yourself", Tier.REFUSED),
}
_LIMITS = {
    "cpus": Key(number, "processors"),
    "cpu_shares": Key(whole(0), "its share when processors are short"),
    "cpu_period": Key(cpu_time, "the period of cpu_quota"),
    "cpu_quota": Key(cpu_time, "how much of a period it may run"),
    "cpu_rt_period": Key(cpu_time, "the same for realtime"),
    "cpu_rt_runtime": Key(cpu_time, "the same for realtime"),
    "cpuset": Key(text, "which processors"),
    "cpu_count": Key(anything, _WINDOWS, Tier.REFUSED),
    "cpu_percent": Key(anything, _WINDOWS, Tier.REFUSED),
    "mem_limit": Key(size, "memory"),
    "mem_reservation": Key(size, "memory that is kept for it when memory is short"),
    "mem_swappiness": Key(whole(0, 100), "how readily it is swapped"),
    "memswap_limit": Key(size_or_unlimited, "memory and swap together"),
    "oom_kill_disable": Key(boolean, "not killed when memory is short"),
    "oom_score_adj": Key(whole(-1000, 1000), "how readily it is killed"),
    "pids_limit": Key(whole(-1), "processes"),
    "blkio_config": Key(BLKIO, "disk"),
    "ulimits": Key(ulimits, "limits of its processes"),
    "sysctls": Key(settings, "settings of the kernel"),
}
_REFUSED = {
    "provider": Key(anything, "run it as a service with an image", Tier.REFUSED),
    "models": Key(anything, "run the model as a service with an image", Tier.REFUSED),
    "credential_spec": Key(anything, _WINDOWS, Tier.REFUSED),
    "isolation": Key(anything, _WINDOWS, Tier.REFUSED),
}

_BELOW = {"build": BUILD, "deploy": DEPLOY, "healthcheck": HEALTHCHECK,
          "deploy.resources": RESOURCES, "logging": LOGGING}  # fmt: skip


def _elsewhere(key: str, _: Any) -> str | None:
    for place, keyed in _BELOW.items():
        if key in keyed.table:
            return f"it belongs below {quote(place)}"
    return None


SERVICE = Keyed(
    {**_BASICS, **_LIFE, **_NETWORK, **_FILES, **_RIGHTS, **_LIMITS, **_REFUSED},
    elsewhere=_elsewhere,
)
