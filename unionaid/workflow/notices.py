"""Messages to people (通知): written with the act they tell of, shown on people's pages, and sent by one channel of the settings.

`tell` writes the message, in each receiver's language, and a job in the caller's transaction. The job works in two transactions:
it marks the notice as being sent, then sends it and says how it went. A job that is started anew finds that mark and does not send
again, unless the channel can tell twins apart: at most once, because the message stands on the person's pages anyhow, and what
nobody knows is shown to staff, who may send it again.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.crypto import get_random_string
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from unionaid.lib.calendar import now
from unionaid.offices.roles import SYSTEM, Actor, may
from unionaid.offices.scope import everywhere
from unionaid.workflow.channels import Contact, Message, NoAnswer, NotTaken, Refused, channel_for
from unionaid.workflow.jobs import Run, enqueue, job
from unionaid.workflow.models import Notice
from unionaid.workflow.moves import NotAllowed, record

logger = logging.getLogger(__name__)
JOB, PART_JOB = "workflow.deliver", "workflow.deliver_part"
# To more than a few at once one job sends to so many, some at a time: what a worker that dies leaves in doubt is no more than those.
PART, AT_A_TIME = 500, 20
# How long to wait before each further try; after the last one the notice is not delivered.
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480))
SHOWN_NOTICES = 100
AGAIN = ("undelivered", "unsure", "no_address")

Languages = Callable[[Sequence[int]], Mapping[int, str]]
Contacts = Callable[[Sequence[int]], Mapping[int, Contact]]
_BOOK: dict[str, Any] = {}


def address_book(*, languages: Languages, contacts: Contacts) -> None:
    """The floor that knows people says how they are reached: by key, their languages, and their addresses. Both run in a scope
    that shows everyone."""
    _BOOK.update(languages=languages, contacts=contacts)


@transaction.atomic
def tell(
    member_ids: Iterable[int], *, office_id: int, title: Promise, text: Promise, link: str = "", values: Mapping[str, Any] | None = None
) -> list[Notice]:
    """Write one notice for each of these people and the job or jobs that send them. `title` is the same for everyone; `values` fill
    the text, days in the receiver's way of writing them. A constant number of statements."""
    ids = sorted(set(member_ids))
    if not ids:
        return []
    with everywhere(reason="tell people what was done"):
        spoken = _BOOK["languages"](ids)
        in_words = {language: _in(language, title, text, values or {}) for language in {spoken.get(pk, "zh-hans") for pk in ids}}
        made = Notice.objects.bulk_create(
            [
                Notice(office_id=office_id, member_key=pk, title=words[0], text=words[1], link=link)
                for pk in ids
                for words in [in_words[spoken.get(pk, "zh-hans")]]
            ],
            batch_size=5000,
        )
        _send_later(made)
    return made


@dataclass(frozen=True, slots=True)
class Told:
    """What one person is told of a thing of their own; as the arguments of `tell`."""

    member_id: int
    title: Promise
    text: Promise
    link: str
    values: Mapping[str, Any]


@transaction.atomic
def tell_each(told: Sequence[Told], *, office_id: int) -> list[Notice]:
    """Write to each of these people something else, and the job or jobs that send it. A constant number of statements."""
    if not told:
        return []
    with everywhere(reason="tell people what was done"):
        spoken = _BOOK["languages"](sorted({one.member_id for one in told}))
        written = [(one, _in(spoken.get(one.member_id, "zh-hans"), one.title, one.text, one.values)) for one in told]
        made = Notice.objects.bulk_create(
            [
                Notice(office_id=office_id, member_key=one.member_id, title=title, text=text, link=one.link)
                for one, (title, text) in written
            ],
            batch_size=5000,
        )
        _send_later(made)
    return made


def _send_later(made: Sequence[Notice]) -> None:
    """The jobs that send these: one for each of a few, one for each part of many."""
    if len(made) > AT_A_TIME:
        parts = [made[i : i + PART] for i in range(0, len(made), PART)]
        enqueue(PART_JOB, [([one.pk for one in part], f"{PART_JOB}:{part[0].pk}", part[0]) for part in parts], by=SYSTEM)
    else:
        enqueue(JOB, [(one.pk, f"{JOB}:{one.pk}", one) for one in made], by=SYSTEM)


def _in(language: str, title: Promise, text: Promise, values: Mapping[str, Any]) -> tuple[str, str]:
    with override(language):
        told = {name: date_format(value) if isinstance(value, date) else str(value) for name, value in values.items()}
        return str(title), str(text).format(**told)


# -- sending -----------------------------------------------------------------------------------------------------------


@job(JOB, queue="notices", label=gettext_lazy("发送通知"))
def deliver(run: Run) -> dict[str, Any] | None:
    """Send one notice; called again for the second step."""
    return _send(run) if run.cursor else _take(run)


def _contact(notice: Notice) -> Contact:
    with everywhere(reason="where a notice goes"):
        found: Contact | None = _BOOK["contacts"]([notice.member_key]).get(notice.member_key)
    return found or Contact()


def _take(run: Run) -> dict[str, Any] | None:
    """Mark the notice as being sent: of two who try, one gets it."""
    notice = Notice.objects.get(pk=run.subject_ids[0])
    channel = channel_for(_contact(notice))
    waiting = Notice.objects.filter(pk=notice.pk, delivery="waiting")
    if channel is None:
        waiting.update(delivery="no_address")
        return None
    taken = waiting.update(delivery="sending", channel=channel.name, trouble="", attempts=F("attempts") + 1)
    return {"claim": run.claim} if taken else None


def _send(run: Run) -> dict[str, Any] | None:
    """Hand it over, and write down how it went."""
    notice = Notice.objects.get(pk=run.subject_ids[0])
    if notice.delivery != "sending":
        return None
    delivery, trouble = _hand_over(notice, _contact(notice), taken_now=run.claim == run.cursor["claim"])
    return _again(notice, run, trouble) if delivery == "waiting" else _end([notice], delivery, trouble)


def _hand_over(notice: Notice, contact: Contact, *, taken_now: bool) -> tuple[str, str]:
    """How it went (`waiting`: it may be tried again) and what the trouble was. Of a notice that was not `taken_now`, an earlier
    claim of its job never said how it went."""
    channel = channel_for(contact)
    if channel is None:
        return "no_address", ""
    perhaps = "waiting" if channel.tells_twins_apart else "unsure"
    if not taken_now:
        return perhaps, "stopped"
    try:
        channel.send(_message(notice, contact))
    except NotTaken as no:
        return "waiting", no.trouble
    except Refused as no:
        return "undelivered", no.trouble
    except NoAnswer as no:
        return perhaps, no.trouble
    except Exception as error:  # a channel that a deployment wrote: whatever it raises, nobody knows whether it sent
        logger.error("channel %s failed: %s", channel.name, type(error).__name__)
        return "unsure", "no_answer"
    return "sent", ""


def _message(notice: Notice, contact: Contact) -> Message:
    address = f"{settings.BASE_URL}{notice.link}" if notice.link else ""
    return Message(str(notice.public_id), notice.title, notice.text, address, contact)


def _end(notices: Sequence[Notice], delivery: str, trouble: str = "") -> None:
    sent_at = now() if delivery == "sent" else None
    going = Notice.objects.filter(pk__in=[one.pk for one in notices], delivery="sending")
    going.update(delivery=delivery, trouble=trouble, sent_at=sent_at)


def _again(notice: Notice, run: Run, trouble: str) -> dict[str, Any] | None:
    """Once more after a while; after the last try it stays undelivered, for staff to see."""
    if notice.attempts > len(BACK_OFF):
        return _end([notice], "undelivered", trouble)
    _end([notice], "waiting", trouble)
    run.wait = BACK_OFF[notice.attempts - 1]
    return {}


# -- sending to many ---------------------------------------------------------------------------------------------------


@job(PART_JOB, queue="notices", label=gettext_lazy("发送一批通知"))
def deliver_part(run: Run) -> dict[str, Any] | None:
    """Send a part of what was said to many: each time those taken the time before, then the next few are taken. The mark of each is
    committed before it goes out, as with a single one."""
    if taken := run.cursor.get("taken"):
        _send_each(taken, taken_now=run.claim == run.cursor["claim"])
        run.done += len(taken)
    left = run.cursor["left"] if run.cursor else _reachable(run.subject_ids)
    if not left:
        return None
    _mark(left[:AT_A_TIME])
    return {"claim": run.claim, "taken": left[:AT_A_TIME], "left": left[AT_A_TIME:]}


def _contacts(notices: Sequence[Notice]) -> Mapping[int, Contact]:
    with everywhere(reason="where notices go"):
        found: Mapping[int, Contact] = _BOOK["contacts"]([one.member_key for one in notices])
    return found


def _reachable(ids: Sequence[int]) -> list[int]:
    """Those of these waiting notices for which there is a way; of the others it is written down that there is none."""
    waiting = list(Notice.objects.filter(pk__in=ids, delivery="waiting").order_by("pk"))
    contacts = _contacts(waiting)
    ways = {one.pk: channel_for(contacts.get(one.member_key, Contact())) for one in waiting}
    Notice.objects.filter(pk__in=[pk for pk, way in ways.items() if way is None], delivery="waiting").update(delivery="no_address")
    return [pk for pk, way in ways.items() if way is not None]


def _mark(ids: Sequence[int]) -> None:
    """These are being sent, each by its channel: a constant number of statements."""
    waiting = list(Notice.objects.select_for_update().filter(pk__in=ids, delivery="waiting").order_by("pk"))
    contacts = _contacts(waiting)
    by_channel: dict[str, list[int]] = {}
    for one in waiting:
        if channel := channel_for(contacts.get(one.member_key, Contact())):
            by_channel.setdefault(channel.name, []).append(one.pk)
    for name, found in by_channel.items():
        Notice.objects.filter(pk__in=found).update(delivery="sending", channel=name, trouble="", attempts=F("attempts") + 1)


def _send_each(ids: Sequence[int], *, taken_now: bool) -> None:
    """Hand each over that is marked, and write down how it went; what may be tried again goes on by a job of its own."""
    going = list(Notice.objects.filter(pk__in=ids, delivery="sending").order_by("pk"))
    contacts = _contacts(going)
    ends: dict[tuple[str, str], list[Notice]] = {}
    for one in going:
        delivery, trouble = _hand_over(one, contacts.get(one.member_key, Contact()), taken_now=taken_now)
        if delivery == "waiting":
            enqueue(JOB, [(one.pk, f"{JOB}:{one.pk}", one)], by=SYSTEM, not_before=Now() + BACK_OFF[one.attempts - 1])
        ends.setdefault((delivery, trouble), []).append(one)
    for (delivery, trouble), notices in ends.items():
        _end(notices, delivery, trouble)


def send_again(notice: Notice, *, by: Actor) -> bool:
    """Staff has a notice sent once more that did not, or perhaps did not, arrive; False when it is not such a one any more."""
    if not may(by, "notices.send_again", notice.office_id):
        raise NotAllowed(_("您没有“{action}”的权限。").format(action=_("再发一次")))
    with transaction.atomic():
        if not Notice.objects.filter(pk=notice.pk, delivery__in=AGAIN).update(delivery="waiting", attempts=0, trouble=""):
            return False
        record([notice], "send_again", by=by)
        enqueue(JOB, [(notice.pk, f"{JOB}:{notice.pk}:{get_random_string(8)}", notice)], by=SYSTEM)
    return True


# -- on people's pages -------------------------------------------------------------------------------------------------


def my_notices(member_id: int, *, before: int | None = None) -> tuple[list[Notice], int | None]:
    """A page of this person's notices, newest first: those with keys under `before`, or the latest; and the `before` of the page after
    it, None on the last. None is ever left out: whoever turns the pages sees them all."""
    rows = Notice.objects.filter(member_key=member_id).order_by("-id")
    found = list((rows.filter(pk__lt=before) if before else rows)[: SHOWN_NOTICES + 1])
    shown = found[:SHOWN_NOTICES]
    return shown, shown[-1].pk if len(found) > SHOWN_NOTICES else None


def unread(member_id: int) -> int:
    """How many of this person's notices nobody has looked at, on whichever side of the counter they are now."""
    with everywhere(reason="one's own notices"):
        return Notice.objects.filter(member_key=member_id, read_at__isnull=True).count()


def mark_read(notices: Iterable[Notice]) -> None:
    """They have been shown to the person. One statement."""
    fresh = [one.pk for one in notices if one.read_at is None]
    if fresh:
        Notice.objects.filter(pk__in=fresh).update(read_at=now())
