"""Runs everything that one machine needs: embedded PostgreSQL, migrations, web and workers."""
