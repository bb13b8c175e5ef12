"""Figures: declarations read from files, computed from snapshots at every level of place, traced to their rows."""
