"""The live process: a real one, with real PostgreSQL behind it."""
