"""Zero-downtime deploys for multi-service projects: the core, which knows no screen."""

__version__ = "0.1.0"
