"""Numbers, units and columns in words of either language."""
