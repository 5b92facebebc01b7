"""Jobs: a sealed photo in, a sealed result out, and a receipt for what was erased."""
