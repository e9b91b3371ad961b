"""Envoy, and the mapping from what is live to what it is told."""
