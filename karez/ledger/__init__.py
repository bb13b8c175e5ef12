"""Books, accounts, vouchers and transfers. Knows nothing of poverty: what money is for is told by the rooms above."""
