"""Removes one check after another and demands that a test notices: `make sabotage`.

What to remove, and which tests must turn red, is in `catalogue`; `__main__` does it, in a copy of
the tree. A green run says of each of these checks that it cannot get lost unseen.
"""
