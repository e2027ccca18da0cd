"""Somebody's browser."""

from django.test import Client

from unionaid.accounts.models import User


def client_of(user: User) -> Client:
    """Logged in as this person, past the log-in page."""
    client = Client()
    client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    return client
