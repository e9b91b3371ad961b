"""Figures for a monitoring system, told when it asks."""
