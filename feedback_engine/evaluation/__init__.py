"""Measures how well an engine agrees with people. Run by hand; serves no pupil."""
