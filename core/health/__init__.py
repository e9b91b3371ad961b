"""Health after activation: what is live is watched, and so is the gateway in front of it."""
