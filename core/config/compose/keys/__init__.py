"""What each key of a Compose file means: its short forms, its canonical form, and its tier."""
