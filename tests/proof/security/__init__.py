"""What the security proofs attack with, and what they look at afterwards."""
