"""What goes wrong on machines, done for real, and what must hold whenever that was."""
