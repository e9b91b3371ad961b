"""Compose files: read, merged, and turned into services."""
