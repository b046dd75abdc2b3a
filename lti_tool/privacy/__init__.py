"""What becomes of people's data over time. Reads across all floors below."""
