"""The journal and what it takes."""

from core.journal.forgetting import Kept
from core.journal.journal import Journal
from core.journal.past import EVENTS_PAGE
from core.journal.schema import Record

__all__ = ["EVENTS_PAGE", "Journal", "Kept", "Record"]
