"""People's rights over footage of themselves: they ask, it is held, a person answers in time."""
