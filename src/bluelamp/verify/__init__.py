"""The offline verifier: standard library, `cryptography` and `formats` only, so that nobody need trust a server.

`stored` alone reads PostgreSQL too, for an installation's check of its own ledger.
"""
