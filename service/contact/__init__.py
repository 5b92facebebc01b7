"""Contact: questions to who answers for personal data, and their answers."""
