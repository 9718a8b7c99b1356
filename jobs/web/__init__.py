"""The web service: the inference API, pages, access control, health and metrics."""
