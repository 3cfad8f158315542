"""The command `predict`: asks a model folder or a running service. Never imported by the server."""
