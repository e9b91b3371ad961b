"""What happens when a key is pressed."""
