"""Measurements with budgets, run by hand; the end-to-end tests have a short version."""
