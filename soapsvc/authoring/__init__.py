"""Turns trained models into model folders: a frozen graph with its manifest. Never imported by the server."""
