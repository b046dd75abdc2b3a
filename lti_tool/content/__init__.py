"""Units, sections and tasks, written by teachers and linked into courses."""
