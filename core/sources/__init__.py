"""Sources that come from another machine: what is sent, how it is unpacked, where it is kept."""
