"""Turns a prompt into a stream of change intents. Knows models, not clients."""
