"""The Docker Engine, through its API."""
