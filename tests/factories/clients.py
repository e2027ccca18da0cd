"""Somebody's browser."""

import re

from django.http import HttpResponse
from django.test import Client

from unionaid.accounts.models import User

TOKEN = re.compile(r'(?<=name="csrfmiddlewaretoken" value=")[0-9A-Za-z]{64}(?=")')


def html(answer: HttpResponse) -> str:
    """The page without the tokens of its forms: among 64 letters drawn anew stand any two side by side in one page of sixty."""
    return TOKEN.sub("", answer.content.decode())


def client_of(user: User) -> Client:
    """Logged in as this person, past the log-in page."""
    client = Client()
    client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    return client
