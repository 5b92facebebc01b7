"""Effects on one picture: one effect a file."""
