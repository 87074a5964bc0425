"""Sharing footage with named people outside the force, instead of posting discs."""
