"""Certificates of domains: read and validated, watched in files, and got by ACME."""
