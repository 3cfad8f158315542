"""The web pages: what this server has, how to call it, and what an administrator may do."""
