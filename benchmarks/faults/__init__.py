"""Faults: thousands of bad calls and damaged files, and what becomes of each."""
