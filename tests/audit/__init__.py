"""`make audit`: whether what the lock files pin may still be trusted. It asks the package index."""
