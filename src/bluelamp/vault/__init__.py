"""Sealed footage: data keys in the keyring, sealed objects in a store, and what reads and writes them."""
