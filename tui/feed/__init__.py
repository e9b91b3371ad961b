"""Where the dashboard hears from: the agent live, or a recording."""
