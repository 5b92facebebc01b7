"""A vector portrait, drawn from measurements alone."""
