"""Tells others what has happened: by a command, or by a request to their webhook."""
