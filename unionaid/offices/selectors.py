"""Reading offices and the person who acts."""

from datetime import date

from django.db.models import Q, QuerySet

from unionaid.accounts.models import User
from unionaid.offices.models import Office, StaffPost
from unionaid.offices.roles import Actor, Post, Role


def covers(office: Office) -> frozenset[int]:
    """Ids of this office and of all below it."""
    return frozenset(Office.objects.filter(path__startswith=office.path).values_list("id", flat=True))


def posts_in_force(user: User, *, on: date) -> QuerySet[StaffPost]:
    """The user's posts on this day (`until` exclusive)."""
    return StaffPost.objects.filter(Q(until__isnull=True) | Q(until__gt=on), user=user, since__lte=on)


def staff_actor(user: User, *, on: date) -> Actor:
    """The user as staff: every post in force with the offices it covers. Two statements."""
    held = list(posts_in_force(user, on=on).select_related("office"))
    if not held:
        return Actor(user_id=user.pk, label=user.display_name)
    prefixes = {post.office.path for post in held}
    wanted = Q()
    for prefix in prefixes:
        wanted |= Q(path__startswith=prefix)
    below = list(Office.objects.filter(wanted).values_list("id", "path"))
    return Actor(
        user_id=user.pk,
        label=user.display_name,
        posts=tuple(
            Post(
                role=Role(post.role),
                office_id=post.office_id,
                covers=frozenset(pk for pk, path in below if path.startswith(post.office.path)),
            )
            for post in held
        ),
    )


def offices_below(actor: Actor) -> QuerySet[Office]:
    """The offices this actor's posts cover, in tree order."""
    return Office.objects.filter(pk__in=actor.office_ids)
