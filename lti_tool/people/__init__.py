"""Platforms and the people they send us: who is who, in which course, by whose word."""
