"""What names, keys and paths may be, as patterns and in words."""

from __future__ import annotations

PROJECT_NAME = r"^[a-z][a-z0-9-]{0,62}$"
SERVICE_NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
COMPOSE_SERVICE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
"""What the files of others have. No path is made of it, and host names only of its letters."""
VARIABLE_KEY = r"^[A-Za-z_][A-Za-z0-9_]*$"
APT_PACKAGE = r"^[A-Za-z0-9][A-Za-z0-9.+:=~-]*$"
CRON_EXPRESSION = r"^[0-9A-Za-z*/,-]{1,200}( +[0-9A-Za-z*/,-]{1,200}){4}$"
MEMORY = r"^[1-9][0-9]{0,6}[KMG]$"
REQUEST_PATH = r'^/[!"$->@-~]*$'
CHECK_PATH = r'^[!"$-~]+$'
HTTPS_ADDRESS = r"^https://[!-~]+$"
MAIL_ADDRESS = r"^[!-?A-~]+@[!-?A-~]+$"

RESERVED_VARIABLES = "COMPARTMENT_"
"""What the names of variables that only we set begin with."""

DNS_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = rf"^{DNS_LABEL}(\.{DNS_LABEL}){{0,3}}$"
"""Host names, which have at most 253 characters (RFC 1035), leave room for one more label."""

PATTERN_WORDS = {
    PROJECT_NAME: "at most 63 of a-z, 0-9 and -, beginning with a letter",
    SERVICE_NAME: "at most 63 of a-z, 0-9, _ and -, beginning with a letter or digit",
    COMPOSE_SERVICE_NAME: "at most 63 of a-z, A-Z, 0-9, ., _ and -, beginning like a word",
    VARIABLE_KEY: "letters, digits and _, not beginning with a digit",
    APT_PACKAGE: "an APT package such as curl or libpq-dev",
    CRON_EXPRESSION: 'five fields such as "0 3 * * *": minute, hour, day, month, weekday 0-7',
    MEMORY: "a whole number with K, M or G, such as 256M",
    DOMAIN: "a domain in lower case, such as apps.example.com",
    REQUEST_PATH: 'a path that begins with "/", in visible ASCII without "?" and "#"',
    HTTPS_ADDRESS: "an address that begins with https://",
    MAIL_ADDRESS: "an address such as me@example.com",
    CHECK_PATH: 'a path, with or without a query, in visible ASCII without "#"',
}
