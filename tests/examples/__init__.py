"""The examples, run as plain processes without any platform around them."""
