"""The policy that people accept: its versions, what changed between them, and who was told."""
