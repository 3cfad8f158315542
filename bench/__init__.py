"""Measures our server against stock Spyne and a hand-written handler on the same model: `python -m bench`."""
