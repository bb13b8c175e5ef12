"""A figure down to its rows and documents; the catalogue of figures."""
