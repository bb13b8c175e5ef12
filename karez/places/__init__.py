"""Places: areas by id with dated codes, names, parents and designations. Holds nothing that happens in them."""
