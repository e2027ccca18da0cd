"""Pages for everyone: said aloud, so that a forgotten right is not taken for one."""

from collections.abc import Callable

from django.http import HttpResponse

View = Callable[..., HttpResponse]


def public(view: View) -> View:
    """Anyone may see this page; `offices.access.requires` guards all others."""
    view.required = ""  # type: ignore[attr-defined]
    return view
