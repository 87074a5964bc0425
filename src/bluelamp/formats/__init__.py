"""Public formats: what Bluelamp writes down for others to check.

Everything here is pure: bytes and plain values in, bytes and plain values out. No Django, no clock, no disk.
Each format is described for outsiders in `docs/protocols/`.
"""
