"""Accounts: signing in, sessions, API keys, and what a person shows of themselves."""
