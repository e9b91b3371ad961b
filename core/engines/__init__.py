"""What runs instances: one protocol, one folder or file per engine."""
