"""A real sshd on loopback, with keys, a port and a configuration of its own."""
