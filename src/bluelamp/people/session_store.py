"""Sessions in the database, looked up only under names that sessions are given."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore


class SessionStore(DatabaseStore):
    """Django's. What a cookie says that is no session's name is as good as no cookie."""

    def _validate_session_key(self, key: str) -> bool:
        # A database takes no NUL, and a quoted cookie can hold one.
        return bool(super()._validate_session_key(key)) and key.isascii() and key.isalnum()
