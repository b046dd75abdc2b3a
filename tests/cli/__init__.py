"""The command line: what it says, in words and in JSON, and what it refuses."""
