"""What every room needs: the clock, identifiers, errors, transactions, hooks."""
