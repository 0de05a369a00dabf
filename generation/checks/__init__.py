"""What can be told to be wrong with changed files without running anything: syntax, and imports of nothing."""
