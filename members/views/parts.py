"""What the worker's pages of this room have in common."""

from django.http import HttpRequest

from members.models import Member
from members.selectors.joining import worker_of
from unionaid.offices.access import actor
from unionaid.web.asking import pages

show = pages("members/worker")


def me(request: HttpRequest) -> Member:
    """The worker who asks, with unit and office."""
    member_id = actor(request).member_id
    assert member_id is not None  # my.use is for members alone
    return worker_of(member_id)
