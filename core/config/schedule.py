"""The cron expression and the time zone of a schedule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field

from core.config.document import describe, did_you_mean
from core.config.fields import broken_rule
from core.config.patterns import CRON_EXPRESSION, PATTERN_WORDS

_SOME_TIME = datetime(2024, 1, 1, tzinfo=UTC)


def _cron_expression(text: str) -> str:
    fields = text.split()
    try:
        for index, field in enumerate(fields):
            alone = ["*"] * len(fields)
            alone[index] = field
            CronSim(" ".join(alone), _SOME_TIME)
    except CronSimError as error:
        reason = str(error)[:1].lower() + str(error)[1:]
        hint = f"use {PATTERN_WORDS[CRON_EXPRESSION]}"
        raise broken_rule(f"cannot be {describe(text)}: {reason}", hint=hint) from None
    if not _is_ever_due(text):
        predicate = f"cannot be {describe(text)}: it is never due"
        raise broken_rule(predicate, hint="name a day that its months have")
    return text


def _is_ever_due(cron: str) -> bool:
    """Of fields that are right each: `cronsim` sees some days that no month has, not all."""
    try:
        return next(CronSim(cron, _SOME_TIME), None) is not None
    except CronSimError:
        return False


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
