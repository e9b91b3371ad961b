"""Every command in one table: its words, its flags, and where it is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.cli import arguments

ENGINES = ("auto", "process", "docker")
STREAMS = ("compartment", "stdout", "stderr")


class Flag:
    """One argument, as argparse takes it."""

    def __init__(self, *names: str, **options: Any) -> None:
        self.names = names
        self.options = options


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `handler` is `module:function` in this package, loaded when it is needed."""

    words: str
    help: str
    handler: str
    flags: tuple[Flag, ...] = ()
    has_events: bool = False
    """Whether `--output jsonl` makes sense."""
    is_local: bool = False
    """Whether it is about this machine alone, so that `--host` makes no sense."""


COMMON = (
    Flag("--project", type=arguments.name, metavar="NAME",
         help="the project (default: the one in this folder or a folder above)"),
    Flag("--env", type=arguments.name, metavar="NAME",
         help="the environment (default: production)"),
    Flag("--output", choices=("text", "json", "jsonl"), metavar="FORM",
         help="text, json, or jsonl: one event a line"),
    Flag("--engine", choices=ENGINES, help="what runs the instances (default: auto)"),
    Flag("-f", "--file", action="append", metavar="FILE",
         help="a Compose file; repeatable: later ones win (default: those that are here)"),
    Flag("--env-file", action="append", metavar="FILE",
         help="variables for Compose files, instead of .env; repeatable"),
    Flag("--profile", action="append", metavar="NAME",
         help="turn a profile of Compose files on; repeatable"),
    Flag("--host", dest="server", type=arguments.server, metavar="SERVER",
         help="ask the agent of a server, by ssh: [user@]name[:port], or an alias"),
    Flag("--verbose", action="store_true", help="say more, with tracebacks"),
    Flag("--timeout", type=arguments.seconds, metavar="S",
         help="wait at most this long for runs ahead (0: not at all)"),
)  # fmt: skip
"""Taken before the command and after it."""

DEFAULTS: dict[str, Any] = {
    "project": None,
    "env": "production",
    "output": "text",
    "engine": "auto",
    "file": None,
    "env_file": None,
    "profile": None,
    "server": None,
    "verbose": False,
    "timeout": None,
}

_SERVICES = Flag(
    "--service", action="append", default=[], type=arguments.name, metavar="NAME",
    help="only this service; repeatable",
)  # fmt: skip
_SERVICE = Flag("--service", type=arguments.name, metavar="NAME", help="only this service")
_LABEL = Flag("--label", type=arguments.label, metavar="TEXT", help="what to call the run")
_DETACH = Flag("--detach", action="store_true", help="print the id of the run and leave it")
_NO_CACHE = Flag("--no-cache", action="store_true", help="build again what was built before")
_DEPLOYMENT = Flag("--deployment", metavar="ID", help="this deployment")
_KEY = Flag("key", metavar="KEY", help="its name")
_DOMAIN = Flag("host_name", metavar="HOST", help="the host name")
_USER = Flag("name", metavar="NAME", help="the user")
_OF_SERVICE = Flag(
    "--service", type=arguments.name, metavar="NAME",
    help="of this service (default: of the environment, for all services)",
)  # fmt: skip
_SENSITIVE = Flag("--sensitive", action="store_true", help="never show it again")
_SCHEMA_OF = Flag(
    "of", nargs="?", choices=("descriptor", "routes", "compose"), default="descriptor",
    metavar="descriptor|routes|compose", help="which file (default: descriptor)",
)  # fmt: skip
_LISTENERS = (
    Flag("--port", type=arguments.port, help="the public port (0: any free one)"),
    Flag("--internal-port", type=arguments.port, help="the internal port (0: any free one)"),
    Flag(
        "--https-port",
        type=arguments.port,
        help="the port for TLS, which serves domains (0: any free one; default: none)",
    ),
    Flag(
        "--listen",
        "--host",
        dest="host",
        metavar="ADDRESS",
        help="where the public listener listens; for a server, --host comes before the command",
    ),
)
_RUN_NOW = (
    Flag("--service", required=True, type=arguments.name, metavar="NAME", help="which one"),
    Flag("--detach", action="store_true", help="print the id of the execution and leave it"),
)

COMMANDS = (
    Command("init", "write a minimal compartment.yml", "projects:init", (
        Flag("--name", metavar="NAME", help="the project (default: after the folder)"),
        Flag("--from-compose", action="store_true",
             help="the equivalent of the Compose files that are here, as far as there is one"),
    ), is_local=True),
    Command("validate", "check the project files", "projects:validate", is_local=True),
    Command("schema", "print the JSON Schema of a project file", "projects:schema",
            (_SCHEMA_OF,), is_local=True),
    Command("descriptor schema", "the JSON Schema of compartment.yml", "projects:schema",
            is_local=True),
    Command("descriptor routes-schema", "the JSON Schema of compartment.routes.yml",
            "projects:routes_schema", is_local=True),
    Command("compose config", "print the Compose files merged, in their full form",
            "compose:config", (
        Flag("--services", action="store_true", help="only the names of the services"),
        Flag("--volumes", action="store_true", help="only the names of the volumes"),
        Flag("--images", action="store_true", help="only the images"),
        Flag("--profiles", action="store_true", help="only the names of the profiles"),
    ), is_local=True),
    Command("dockerfile", "show what a service is built with by Docker", "dockerfile:dockerfile", (
        Flag("path", nargs="?", metavar="PATH",
             help="the folder of the project (default: this one, or the nearest above)"),
        _SERVICE,
    ), is_local=True),
    Command("plan", "say what a deploy would do", "runs:plan", (_SERVICES,)),
    Command("deploy", "deploy all services, or those named", "runs:deploy",
            (_SERVICES, _LABEL, _DETACH, _NO_CACHE), has_events=True),
    Command("redeploy", "deploy, and replace what is unchanged too", "runs:redeploy",
            (_SERVICES, _LABEL, _DETACH), has_events=True),
    Command("status", "show each service as it is now", "reads:status", (_SERVICE,)),
    Command("inspect", "show everything about a deployment", "reads:inspect",
            (_SERVICE, _DEPLOYMENT)),
    Command("logs", "show the three log streams", "logs:logs", (
        _SERVICE, _DEPLOYMENT,
        Flag("--stream", action="append", choices=STREAMS, help="only this one; repeatable"),
        Flag("--follow", action="store_true", help="go on with new lines as they come"),
        Flag("--tail", type=arguments.tail, default=100, metavar="N",
             help="begin with the last N lines (default: 100)"),
        Flag("--since", type=arguments.since, metavar="TIME",
             help="only lines since then: ISO 8601, or how long ago, such as 10m"),
        Flag("--grep", metavar="REGEX", help="only lines that match"),
    ), has_events=True),
    Command("rollback", "return to the previous deployment", "runs:rollback", (
        _SERVICES, Flag("--to", metavar="ID", help="to this deployment"),
        _DETACH,
    ), has_events=True),
    Command("promote", "deploy what is active in one environment to another", "runs:promote", (
        Flag("--from", dest="source", required=True, type=arguments.name, metavar="NAME",
             help="the environment that it is active in"),
        Flag("--to", required=True, type=arguments.name, metavar="NAME",
             help="the environment that it is deployed to"),
        _SERVICES, _LABEL, _DETACH,
    ), has_events=True),
    Command("cancel", "stop a run before its switch", "runs:cancel",
            (Flag("--run", required=True, metavar="ID", help="the run"),)),
    Command("deployment list", "the history, grouped by run", "history:deployment_list", (
        _SERVICE,
        Flag("--limit", type=arguments.limit, default=20, metavar="N",
             help="how many deployments (default: 20)"),
    )),
    Command("routes list", "the route rules", "projects:routes_list", (_SERVICE,), is_local=True),
    Command("routes test", "say which rule takes a request", "projects:routes_test", (
        Flag("method", metavar="METHOD", help="such as GET"),
        Flag("path", metavar="PATH", help="the raw path, with its query"),
        Flag("--service", type=arguments.name, default="web", metavar="NAME",
             help="the service that is asked (default: web)"),
    ), is_local=True),
    Command("variable set", "set a variable, from the next deploy on", "variables:set_variable", (
        _KEY,
        Flag("value", nargs="?", metavar="VALUE", help="its value (default: asked for)"),
        _OF_SERVICE,
        _SENSITIVE,
        Flag("--stdin", action="store_true",
             help="read the value from standard input; one newline at its end is dropped"),
    )),
    Command("variable list", "list the variables, without values", "variables:list_variables",
            (_OF_SERVICE,)),
    Command("variable show", "show a variable; what is sensitive stays hidden",
            "variables:show_variable", (_KEY, _OF_SERVICE)),
    Command("variable import", "set all variables of a .env file", "variables:import_variables", (
        Flag("--file", dest="variables_file", required=True, metavar="FILE", help="the .env file"),
        _OF_SERVICE,
        _SENSITIVE,
        Flag("--replace", action="store_true", help="remove those that are not in the file"),
    )),
    Command("variable remove", "remove a variable, from the next deploy on",
            "variables:remove_variable", (_KEY, _OF_SERVICE)),
    Command("domain add", "lead a host name to a web service", "domains:add_domain", (
        _DOMAIN,
        Flag("--service", type=arguments.name, metavar="NAME", help="the service (default: web)"),
        Flag("--certificate", metavar="FILE",
             help="its chain in PEM, server certificate first; watched for renewals"),
        Flag("--key", metavar="FILE", help="the key of the certificate, in PEM"),
        Flag("--acme", action="store_true",
             help="get certificates by itself, such as from Let's Encrypt; agrees to its terms"),
    )),
    Command("domain list", "list the domains, and how their certificates are",
            "domains:list_domains"),
    Command("domain remove", "let a host name lead nowhere", "domains:remove_domain", (_DOMAIN,)),
    Command("user add", "give somebody a login, or another password", "users:add_user", (
        _USER,
        Flag("--password-stdin", action="store_true",
             help="read the password from standard input (default: make a strong one)"),
    )),
    Command("user list", "list those who have a login", "users:list_users"),
    Command("user remove", "take a login away, at once", "users:remove_user", (_USER,)),
    Command("notification list", "show who is told of what, and how that goes",
            "notifications:list_notifications"),
    Command("notification test", "tell all of them something that has not happened",
            "notifications:try_notifications"),
    Command("job run", "run a job now, and wait for its end", "executions:run", _RUN_NOW,
            has_events=True),
    Command("cron run", "run a cron now, and wait for its end", "executions:run", _RUN_NOW,
            has_events=True),
    Command("cron list", "show when each cron runs, next and last", "executions:cron_list"),
    Command("execution list", "what jobs and crons ran", "executions:execution_list", (
        _SERVICE,
        Flag("--limit", type=arguments.limit, default=20, metavar="N",
             help="how many executions (default: 20)"),
    )),
    Command("execution cancel", "end a job or a cron that runs", "executions:execution_cancel",
            (Flag("execution", metavar="ID", help="the execution"),)),
    Command("shell", "open a shell beside a live service", "shell:shell", (
        Flag("--service", required=True, type=arguments.name, metavar="NAME", help="which one"),
    )),
    Command("down", "stop and remove the instances, keep the history", "down:down", (
        _SERVICES,
        Flag("--orphans", action="store_true", help="those that the project no longer has"),
        Flag("--volumes", action="store_true", help="not supported yet"),
    )),
    Command("agent start", "start the agent", "agent:start", _LISTENERS),
    Command("agent stop", "stop the agent; what is live goes on", "agent:stop"),
    Command("agent status", "show the agent", "agent:status"),
    Command("agent run", "run the agent here, in the foreground", "agent:run", _LISTENERS,
            is_local=True),
    Command("agent install", "have systemd start the agent, also after a reboot",
            "install:install", (
        Flag("--system", action="store_true", help="by the machine's systemd (default for root)"),
        Flag("--user", action="store_true", help="by your own systemd (default for others)"),
        Flag("--print", action="store_true", dest="is_printed", help="show the unit, do nothing"),
        Flag("--remove", action="store_true", help="remove it; what is live goes on"),
    ), is_local=True),
    Command("doctor", "check this machine", "doctor:doctor", (
        Flag("--rebuild", action="store_true",
             help="make a damaged journal anew, while no agent runs; what is live goes on"),
    ), is_local=True),
)  # fmt: skip

GROUPS = {
    "agent": "start, stop, run, show or install the agent",
    "compose": "what Compose files say",
    "cron": "run or list what runs by the clock",
    "deployment": "the history",
    "descriptor": "the schemas of the project files",
    "domain": "host names of your own, and their certificates",
    "execution": "list what jobs and crons ran, or end what runs",
    "job": "run what runs once",
    "notification": "list or test who is told of what happens",
    "routes": "the route rules",
    "user": "who may see services with accessMode authenticated",
    "variable": "the variables that services are given",
}
