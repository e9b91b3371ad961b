"""The lifecycle of a deployment: states, plans, runs, drains, recovery."""
