"""Zero-downtime deploys for multi-service projects: the core, which knows no screen and prints nothing."""

__version__ = "0.1.0"
