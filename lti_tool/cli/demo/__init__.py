"""`gustav demo`: the whole tool on one machine, with its own PostgreSQL and a practice LMS.

Same code, tables and roles as in production; only who starts the processes is different.
"""
