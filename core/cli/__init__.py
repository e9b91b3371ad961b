"""The headless mode: every verb as a command, for people and for scripts."""
