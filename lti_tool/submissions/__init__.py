"""What pupils write and hand in, and the feedback on it."""
