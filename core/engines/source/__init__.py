"""The source of a service: which files it is, how it is run, and a build that is watched."""
