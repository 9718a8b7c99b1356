"""Corpora, oracle labels, fine-tuning and evaluation."""
