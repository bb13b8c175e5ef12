"""Closing of years: checks before, figure tables frozen into snapshots, digests, two people, recovery."""
