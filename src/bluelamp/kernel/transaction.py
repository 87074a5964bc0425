"""One way to open a transaction, so that the change and its custody event stand or fall together."""

from django.db.transaction import atomic, on_commit

__all__ = ["atomic", "on_commit"]
