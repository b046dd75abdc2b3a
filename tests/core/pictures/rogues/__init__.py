"""Decoders that a file has taken over: each file defines `open_pages` and does one evil thing."""
