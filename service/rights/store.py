"""What is held of requests to exercise a right."""
