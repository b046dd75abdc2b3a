"""Points, and their way into the gradebook of the LMS."""
