"""`gustav doctor`: what is missing or wrong, in sentences a school's administrator can act on."""
