"""What the dashboard knows, folded from the feed. Pure: no widget, no clock of its own."""
