"""What the proofs of speed and scale are measured on: many services, a long past, many routes."""
