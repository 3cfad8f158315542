"""Programs that make a first call, in several languages, with the names that each one's tools give a contract."""
