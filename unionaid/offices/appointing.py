"""Who gets a post, and who loses the authenticator of a log-in. A post by which money is decided on or let go, or the log-ins of those who
do (`WITH_SECOND_FACTOR`), counts once a second system administrator has confirmed it; an authenticator is taken away by two as well.
Otherwise one of them could make a cashier, a checker and a releaser of people who do not exist, or come in as one who does."""

from datetime import date

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from unionaid.accounts import second_factor
from unionaid.accounts.models import User
from unionaid.lib.calendar import now
from unionaid.offices.desk import remember
from unionaid.offices.models import FactorDrop, Office, Refusal, StaffPost
from unionaid.offices.roles import WITH_SECOND_FACTOR, Actor, Role
from unionaid.offices.scope import everywhere


class NotBySamePerson(Exception):
    """It was asked for by this person, or is about them; or somebody else has answered meanwhile. The message says so."""


@transaction.atomic
def give(*, user: User, office: Office, role: str, since: date, by: Actor) -> StaffPost:
    """Appoint this person; where money depends on the post it waits for a second administrator. IntegrityError: they have it."""
    confirmed_at = None if role in WITH_SECOND_FACTOR else now()
    post = StaffPost.objects.create(
        user=user, office=office, role=Role(role), since=since, given_by_id=by.user_id, confirmed_at=confirmed_at
    )
    remember(post, "give_post", by=by)
    return post


@transaction.atomic
def confirm(post: StaffPost, *, by: Actor) -> None:
    """The post counts from now on. NotBySamePerson for who gave it and who gets it."""
    waits = StaffPost.objects.filter(pk=post.pk, confirmed_at=None).exclude(given_by=by.user_id).exclude(user=by.user_id)
    if not waits.update(confirmed_by=by.user_id, confirmed_at=now()):
        raise NotBySamePerson(_("这个岗位要由另一位系统管理员确认；也可能已经有人办过了，请刷新再看。"))
    remember(post, "confirm_post", by=by)


@transaction.atomic
def refuse(post: StaffPost, *, by: Actor, why: str = "") -> None:
    """The post is not given, and who proposed it is told why; they may take it back themselves as well. One that counts is ended, not
    refused."""
    remember(post, "refuse_post", by=by, note=why)
    _tell(post.given_by_id, Refusal(what="post", user=post.user, office=post.office, role=post.role, why=why, by_id=by.user_id))
    if not StaffPost.objects.filter(pk=post.pk, confirmed_at=None).delete()[0]:
        raise NotBySamePerson(_("这个岗位已经确认，请改为结束岗位。"))


@transaction.atomic
def ask_to_drop_factor(user: User, *, by: Actor) -> None:
    """The person's telephone is gone: somebody else is to look and take the authenticator away. Asked twice it is asked once."""
    asked = FactorDrop.objects.bulk_create([FactorDrop(user=user, asked_by_id=by.user_id)], ignore_conflicts=True)
    if asked:
        remember(user, "ask_drop_factor", by=by)


@transaction.atomic
def drop_factor(user: User, *, by: Actor) -> None:
    """The second person takes it away. NotBySamePerson for who asked for it, and when nobody asks for it any more."""
    asked = FactorDrop.objects.filter(user=user, done_at=None).exclude(asked_by=by.user_id)
    if user.pk == by.user_id or not asked.update(done_by=by.user_id, done_at=now()):
        raise NotBySamePerson(_("解除动态验证码要由另一位系统管理员确认。"))
    second_factor.drop(user)
    remember(user, "drop_factor", by=by)


@transaction.atomic
def keep_factor(user: User, *, by: Actor, why: str = "") -> None:
    """It stays after all, and who asked for it to be taken away is told why."""
    asked = FactorDrop.objects.filter(user=user, done_at=None).first()
    if asked is not None and asked.delete()[0]:
        remember(user, "keep_factor", by=by, note=why)
        _tell(asked.asked_by_id, Refusal(what="factor", user=user, why=why, by_id=by.user_id))


def _tell(asker: int | None, refusal: Refusal) -> None:
    """Nobody is told what they took back themselves."""
    if asker is not None and asker != refusal.by_id:
        refusal.to_id = asker
        with everywhere(reason="tell an administrator what another did not do"):
            refusal.save()


def refusals_of(by: Actor) -> QuerySet[Refusal]:
    """What this person asked for and was refused, and has not put away."""
    return Refusal.objects.filter(to=by.user_id, read_at=None).select_related("user", "office", "by").order_by("pk")


def put_away(refusal: Refusal, *, by: Actor) -> None:
    """Whoever asked has read it."""
    Refusal.objects.filter(pk=refusal.pk, to=by.user_id, read_at=None).update(read_at=now())
