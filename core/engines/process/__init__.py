"""The process engine: a service as a child process, in a copy of its source."""
