"""Log lines on their way to a pane: ring, filter, search, wrap. Pure."""
