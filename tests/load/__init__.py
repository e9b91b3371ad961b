"""An open-loop load generator for end-to-end tests, and its own tests."""
