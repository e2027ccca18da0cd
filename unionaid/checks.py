"""Refuses to start unsafe: views that ask for no right, business models outside the scope."""

from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

RECORDED = "unionaid.workflow.sms.RecordedFile"
OWN = ("unionaid.", "members.", "programs.", "claims.")


def every_view(resolver: URLResolver | None = None) -> Iterator[tuple[str, Any]]:
    """(route, callback) of every address outside the admin site."""
    resolver = resolver or get_resolver()
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield str(entry.pattern), entry.callback
        elif entry.app_name != "admin":
            yield from every_view(entry)


@register(Tags.security)
def views_name_their_right(app_configs: list[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Every own view says `requires(action)` or `public`."""
    return [
        Error(f"{view.__module__}.{view.__name__} names no right (address {route}).", id="house.E001")
        for route, view in every_view()
        if view.__module__.startswith(OWN) and not hasattr(view, "required")
    ]


@register(Tags.compatibility)
def the_gateway_is_there(app_configs: list[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The class that hands SMS over can be loaded."""
    try:
        if settings.SMS_GATEWAY:
            import_string(settings.SMS_GATEWAY)
    except ImportError as error:
        return [Error(f"SMS_GATEWAY={settings.SMS_GATEWAY!r} cannot be loaded: {error}", id="house.E002")]
    return []


@register(Tags.security, deploy=True)
def demo_is_off(app_configs: list[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The demo world and plain HTTP have no place in production."""
    found: list[CheckMessage] = []
    if settings.DEMO:
        found.append(CheckWarning("DEMO is on.", id="house.W001"))
    if settings.DATABASES["owner"]["USER"] == settings.DATABASES["default"]["USER"]:
        found.append(
            CheckWarning("The application runs as the owner of its tables.", id="house.W002")
        )
    if settings.SMS_GATEWAY == RECORDED:
        found.append(CheckWarning("SMS are written to a file, not sent.", id="house.W003"))
    if not settings.SECOND_FACTOR_REQUIRED:
        found.append(CheckWarning("Staff who handle money log in by a password alone.", id="house.W004"))
    return found
