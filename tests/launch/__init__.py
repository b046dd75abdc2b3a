"""Launches: what is let in, and above all what is not."""
