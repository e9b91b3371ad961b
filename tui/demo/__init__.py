"""An example in a world of its own, with live traffic: `make demo`."""
