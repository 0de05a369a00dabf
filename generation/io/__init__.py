"""The adapters of this package's ports: all that talks to the world outside."""
