"""Platforms, and what is asked of them."""
