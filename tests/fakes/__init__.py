"""Small honest implementations of what lies outside."""
