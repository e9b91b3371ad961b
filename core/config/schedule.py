"""The cron expression and the time zone of a schedule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field

from core.config.document import describe, did_you_mean
from core.config.fields import CRON_EXPRESSION, PATTERN_WORDS, broken_rule

_SOME_TIME = datetime(2024, 1, 1, tzinfo=UTC)


def _cron_expression(text: str) -> str:
    try:
        due = next(CronSim(text, _SOME_TIME), None)
    except CronSimError as error:
        reason = str(error)[:1].lower() + str(error)[1:]
        hint = f"use {PATTERN_WORDS[CRON_EXPRESSION]}"
        raise broken_rule(f"cannot be {describe(text)}: {reason}", hint=hint) from None
    if due is None:
        raise broken_rule(f"cannot be {describe(text)}: there is no such day")
    return text


def _time_zone(name: str) -> str:
    if name == "UTC":
        return name
    # Imported here: few projects have a time zone, and listing them takes milliseconds.
    from zoneinfo import available_timezones

    known = available_timezones()
    if name in known:
        return name
    predicate = f"cannot be {describe(name)}: there is no such time zone"
    # Whoever writes a city alone means the zone that ends in it.
    city = name.replace(" ", "_").casefold()
    zone = next((each for each in sorted(known) if each.casefold().endswith(f"/{city}")), None)
    raise broken_rule(predicate, hint=did_you_mean(zone or name, known))


CronExpression = Annotated[str, Field(pattern=CRON_EXPRESSION), AfterValidator(_cron_expression)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
