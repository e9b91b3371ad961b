"""From the canonical model of Compose files to the product's services."""
