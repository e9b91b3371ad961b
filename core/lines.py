"""A line of a log: cleaned once on the way in, stamped, and kept as one line of a file.

The shim that owns a service's pipes runs on this module, so it imports the standard library only.
"""
