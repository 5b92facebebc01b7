"""What is held of jobs."""
