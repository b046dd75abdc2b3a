"""Attacks on the way in and on sessions, by their numbers in the catalogue: ATK 1-30 and 48-62.

Each goes through the entrance and is held against status, class of the page, rows of people and
sessions before and after, and the one note of why. What needs an eye for every claim is in
`test_mutations.py`, what needs a clock for keys in `test_keysets.py`.

Not applicable: ATK-57, and ATK-56 as far as it means platform storage (postMessage). Moodle 4.5
offers none, so no page of ours listens to messages; `test_sessions.py` holds that.
"""
