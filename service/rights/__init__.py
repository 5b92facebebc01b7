"""Rights: what is held, corrected, exported and erased, and by when."""
