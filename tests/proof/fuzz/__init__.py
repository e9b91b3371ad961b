"""Input that nobody would write: made up, mutated, far too much of it; and what is made of it."""
