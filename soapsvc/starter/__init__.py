"""`init`: a folder to start from, with a model, its contract, settings and a compose file."""
