"""The register of households and persons, with identity apart and sealed."""
