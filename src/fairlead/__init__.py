"""Fairlead: automation that earns its autonomy."""
