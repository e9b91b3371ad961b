"""The headless front end: commands in, text or JSON and an exit code out."""
