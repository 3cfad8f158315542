"""The web page at /: what this server has and how to call it."""
