"""Foreign clients against the real server: which feature works with which SOAP stack. `python -m interop`."""
