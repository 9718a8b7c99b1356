"""The web service: the inference API, access control, health and metrics."""
