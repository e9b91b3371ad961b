"""The agent: one process per home folder that serves the platform to any number of front ends."""
