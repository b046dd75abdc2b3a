"""Tests of the context of the same name."""
