"""The vault as a Django application; it has no tables, for keys and footage stay out of the database."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "bluelamp.vault"
    label = "vault"
    verbose_name = "Vault"
