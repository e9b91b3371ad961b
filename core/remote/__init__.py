"""An agent on a server, reached through the ssh of this machine."""
