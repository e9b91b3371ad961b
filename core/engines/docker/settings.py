"""The keys of a Compose service that the engine takes as they are, in the engine's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]

_CONFIG: Final = {
    "domainname": "Domainname",
    "hostname": "Hostname",
    "stdin_open": "OpenStdin",
    "stop_signal": "StopSignal",
    "tty": "Tty",
    "user": "User",
    "working_dir": "WorkingDir",
}
_HOST: Final = {
    "annotations": "Annotations",
    "cap_add": "CapAdd",
    "cap_drop": "CapDrop",
    "cgroup": "CgroupnsMode",
    "cgroup_parent": "CgroupParent",
    "cpu_count": "CpuCount",
    "cpu_percent": "CpuPercent",
    "cpu_period": "CpuPeriod",
    "cpu_quota": "CpuQuota",
    "cpu_rt_period": "CpuRealtimePeriod",
    "cpu_rt_runtime": "CpuRealtimeRuntime",
    "cpu_shares": "CpuShares",
    "cpuset": "CpusetCpus",
    "device_cgroup_rules": "DeviceCgroupRules",
    "dns": "Dns",
    "dns_opt": "DnsOptions",
    "dns_search": "DnsSearch",
    "group_add": "GroupAdd",
    "init": "Init",
    "ipc": "IpcMode",
    "mem_swappiness": "MemorySwappiness",
    "oom_kill_disable": "OomKillDisable",
    "oom_score_adj": "OomScoreAdj",
    "pid": "PidMode",
    "privileged": "Privileged",
    "read_only": "ReadonlyRootfs",
    "runtime": "Runtime",
    "security_opt": "SecurityOpt",
    "userns_mode": "UsernsMode",
    "uts": "UTSMode",
}
_SIZES: Final = {
    "mem_reservation": "MemoryReservation",
    "memswap_limit": "MemorySwap",
    "shm_size": "ShmSize",
}
_BLKIO_DEVICES: Final = {
    "device_read_bps": ("BlkioDeviceReadBps", "rate", "Rate"),
    "device_read_iops": ("BlkioDeviceReadIOps", "rate", "Rate"),
    "device_write_bps": ("BlkioDeviceWriteBps", "rate", "Rate"),
    "device_write_iops": ("BlkioDeviceWriteIOps", "rate", "Rate"),
    "weight_device": ("BlkioWeightDevice", "weight", "Weight"),
}


def config_of(settings: Mapping[str, Any]) -> Json:
    """What the configuration of a container says of them."""
    return {ours: settings[key] for key, ours in _CONFIG.items() if settings.get(key) is not None}


def host_config_of(settings: Mapping[str, Any]) -> Json:
    """What its host configuration says of them."""
    made = {ours: settings[key] for key, ours in _HOST.items() if settings.get(key) is not None}
    if "GroupAdd" in made:
        made["GroupAdd"] = [str(group) for group in made["GroupAdd"]]
    for key, ours in _SIZES.items():
        if settings.get(key) is not None:
            made[ours] = int(settings[key])
    for key, read in _READ.items():
        if settings.get(key):
            made.update(read(settings[key]))
    return made


def pids_limit(settings: Mapping[str, Any]) -> int | None:
    """How many processes a container may have; None without a limit."""
    limit = int(settings.get("pids_limit") or 0)
    return limit if limit > 0 else None


def _ulimits(said: Mapping[str, Any]) -> Json:
    found = []
    for name, limit in said.items():
        both = limit if isinstance(limit, dict) else {"soft": limit, "hard": limit}
        found.append({"Name": name, "Soft": int(both["soft"]), "Hard": int(both["hard"])})
    return {"Ulimits": found}


def _sysctls(said: Mapping[str, Any]) -> Json:
    return {"Sysctls": {name: str(value) for name, value in said.items()}}


def _extra_hosts(said: list[str]) -> Json:
    return {"ExtraHosts": hosts(said)}


def hosts(said: list[str]) -> list[str]:
    """Lines of /etc/hosts, which the file has as `name=address`, as the engine takes them."""
    return [each.replace("=", ":", 1) for each in said]


def _tmpfs(said: list[str]) -> Json:
    pairs = (each.partition(":") for each in said)
    return {"Tmpfs": {path: options for path, _, options in pairs}}


def _devices(said: list[Json]) -> Json:
    return {"Devices": [_device(each) for each in said]}


def _device(said: Json) -> Json:
    return {
        "PathOnHost": said["source"],
        "PathInContainer": said["target"],
        "CgroupPermissions": said["permissions"],
    }


def _deploy(said: Json) -> Json:
    return _requests(said["resources"]["reservations"]["devices"])


def _requests(said: list[Json]) -> Json:
    return {"DeviceRequests": [_request(each) for each in said]}


def _request(said: Json) -> Json:
    ids = said.get("device_ids") or []
    return {
        "Driver": said.get("driver") or "",
        # All of them, where neither a number nor names are given.
        "Count": said.get("count", 0 if ids else -1),
        "DeviceIDs": ids,
        "Capabilities": [said.get("capabilities") or ["gpu"]],
        "Options": said.get("options") or {},
    }


def _blkio(said: Json) -> Json:
    made: Json = {"BlkioWeight": int(said["weight"])} if said.get("weight") is not None else {}
    for key, (ours, value, name) in _BLKIO_DEVICES.items():
        if said.get(key):
            made[ours] = [{"Path": each["path"], name: int(each[value])} for each in said[key]]
    return made


def _logging(said: Json) -> Json:
    options = {name: str(value) for name, value in (said.get("options") or {}).items()}
    return {"LogConfig": {"Type": said.get("driver") or "json-file", "Config": options}}


def _volumes_from(said: list[str]) -> Json:
    # Those of other services are among the mounts.
    return {"VolumesFrom": [each.removeprefix("container:") for each in said]}


_READ: Final[dict[str, Callable[[Any], Json]]] = {
    "blkio_config": _blkio,
    "deploy": _deploy,
    "devices": _devices,
    "extra_hosts": _extra_hosts,
    "gpus": _requests,
    "logging": _logging,
    "sysctls": _sysctls,
    "tmpfs": _tmpfs,
    "ulimits": _ulimits,
    "volumes_from": _volumes_from,
}
