"""Gateways of others, given the same rules and the same services as ours."""
