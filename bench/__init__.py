"""Measurements: medians of paired runs, side by side with the peer and the limit. Nothing here is a test."""
