"""The day on which the tests' web server lives: browsers cannot freeze the calendar of another thread themselves."""

from collections.abc import Callable
from datetime import date

from django.http import HttpRequest, HttpResponse

from unionaid.lib.calendar import frozen


class Clock:
    """`Clock.day` is today for every request of the live server; None is the real day."""

    day: date | None = None


def on_the_clock(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware of the tests: answers each request on `Clock.day`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if Clock.day is None:
            return answer(request)
        with frozen(Clock.day):
            return answer(request)

    return middleware
