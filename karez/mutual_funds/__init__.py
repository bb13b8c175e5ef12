"""Village mutual funds: societies, their rules, members, pots, loans and repayments."""
