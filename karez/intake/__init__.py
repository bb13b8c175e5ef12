"""Files come in: received, staged, checked, applied or refused as a whole. Knows no room."""
