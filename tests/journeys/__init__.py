"""Whole ways through the tool, over HTTP."""
