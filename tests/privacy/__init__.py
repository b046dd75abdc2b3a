"""Tests of what becomes of people's data."""
