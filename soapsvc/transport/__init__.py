"""HTTP: WSGI routing, limits, the request log, health, and the server process."""
