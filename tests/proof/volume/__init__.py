"""A load of hundreds of thousands of requests, every one of which is accounted for."""
