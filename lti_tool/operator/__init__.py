"""The operator's pages: which platforms are connected, how they are, and what waits for a human.

Reads across platforms and sees no pupil: it acts with the role of the command line.
"""
