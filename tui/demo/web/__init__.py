"""The product's web service: its health endpoints, business routes, job administration and metrics."""
