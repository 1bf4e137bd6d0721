"""Measurements of speed and memory, run by hand and never by the tests."""
