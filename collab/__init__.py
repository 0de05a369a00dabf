"""Documents, rooms, presence, merging and history. Knows no HTTP, no socket, no model."""
