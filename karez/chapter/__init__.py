"""Sentences, tables and pictures of a chapter."""
