"""Extractive summarization as Azure AI Language answers it, for clients that are written for that."""
