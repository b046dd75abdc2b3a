"""Feedback on one answer: criteria in, verdicts with evidence and kind words out.

Knows nothing of courses, databases or the web. Importing the package loads no model library: the
host takes `contract` and `errors`, and only the process that works with models imports `build`.
"""
