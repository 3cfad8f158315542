"""Measuring which settings of a model pay on this machine."""
