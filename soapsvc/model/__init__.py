"""The model container: finds, checks, loads and runs frozen graphs. Knows no SOAP and no HTTP."""
