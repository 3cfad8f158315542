"""What an operator's monitoring reads: the metrics at /metrics."""
