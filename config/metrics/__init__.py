"""`/metrics` and `/metrics/queues`: the floor in Prometheus's text format."""
