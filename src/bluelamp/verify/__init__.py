"""The offline verifier: standard library, `cryptography` and `formats` only, so that nobody need trust a server."""
