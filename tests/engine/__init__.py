"""The Docker Engine that tests run against: found, or a private one that is started and stopped."""
