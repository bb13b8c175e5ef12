"""Public money from the funder to the county: source lines, appropriations, allocations, grant standards, plan targets."""
