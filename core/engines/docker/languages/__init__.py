"""What a folder without a Dockerfile is, and what an image of it needs."""
