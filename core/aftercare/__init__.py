"""After a switch: what turns out to be worse than what it replaced is rolled back by itself."""
