"""The journal and what it takes."""

from core.journal.journal import EVENTS_PAGE, Journal
from core.journal.schema import Record

__all__ = ["EVENTS_PAGE", "Journal", "Record"]
