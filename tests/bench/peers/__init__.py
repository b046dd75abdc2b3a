"""Other tools for the same launches, to compare with."""
