"""The process: endpoints, connections, sign-in, wiring, command line."""
