"""Project files, read into a validated Project."""
