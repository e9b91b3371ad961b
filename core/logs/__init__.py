"""The three log streams: kept, read, followed."""
