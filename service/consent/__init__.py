"""Consent and permissions: one choice for each purpose, kept as a history, as easy to withdraw as to give."""
