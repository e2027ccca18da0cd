"""Reading offices and the person who acts."""

from datetime import date

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet

from unionaid.accounts.models import User
from unionaid.offices.models import Office, StaffPost
from unionaid.offices.roles import Actor, Post, Role


def covers(office: Office) -> frozenset[int]:
    """Ids of this office and of all below it."""
    return frozenset(Office.objects.filter(path__startswith=office.path).values_list("id", flat=True))


def posts_in_force(user: User, *, on: date) -> QuerySet[StaffPost]:
    """The user's posts that count on this day (`until` exclusive)."""
    return StaffPost.objects.filter(Q(until__isnull=True) | Q(until__gt=on), user=user, since__lte=on, confirmed_at__isnull=False)


def staff_actor(user: User, *, on: date) -> Actor:
    """The user as staff: every post in force with the offices it covers. One statement."""
    below = Office.objects.filter(path__startswith=OuterRef("office__path")).order_by().values("id")
    held = posts_in_force(user, on=on).values_list("role", "office_id", ArraySubquery(below))
    posts = tuple(Post(role=Role(role), office_id=office_id, covers=frozenset(covered)) for role, office_id, covered in held)
    return Actor(user_id=user.pk, label=user.display_name, posts=posts)


def offices_below(actor: Actor) -> QuerySet[Office]:
    """The offices this actor's posts cover, in tree order."""
    return Office.objects.filter(pk__in=actor.office_ids)
