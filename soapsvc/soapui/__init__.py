"""SoapUI projects of models: requests, assertions and a load test. Never imported by the server."""
