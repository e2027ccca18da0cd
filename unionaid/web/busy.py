"""What stops a request through no fault of its sender: somebody else is at work on the same rows, or the store of documents is full. Said
as a page with a way to try again, in one place for all pages."""

import errno
import logging

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

logger = logging.getLogger(__name__)
LOCK_NOT_AVAILABLE = "55P03"
AGAIN_AFTER = 10


def waited_in_vain(error: Exception) -> bool:
    """Did the database give up waiting for a row that somebody else holds?"""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "pgcode", "") == LOCK_NOT_AVAILABLE


def busy_page(request: HttpRequest) -> HttpResponse:
    """409: nothing was saved, why, and the page to go back to. Asks nothing of the database."""
    logger.warning("waited in vain for a row: %s %s", request.method, request.path)
    answer = render(request, "409.html", {"back": _back(request)}, status=409)
    answer["Retry-After"] = str(AGAIN_AFTER)
    return answer


def no_room(error: Exception) -> bool:
    """Was the store of documents full?"""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def full_page(request: HttpRequest) -> HttpResponse:
    """507: nothing was saved, and the page to go back to. Who looks after the house reads it in the log."""
    logger.critical("the store of documents is full: %s %s", request.method, request.path)
    return render(request, "507.html", {"back": _back(request)}, status=507)


def _back(request: HttpRequest) -> str:
    """The page that was asked for; of a form, the page on which it stood."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = request.META.get("HTTP_REFERER", "")
    here = url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return came_from if here else "/"
