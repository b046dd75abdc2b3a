"""Points, and their way to the gradebook."""
