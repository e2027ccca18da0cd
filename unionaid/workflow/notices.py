"""Messages to people (通知): written with the act they tell of, shown on people's pages, and sent by one channel of the settings.

`tell` writes the message, in each receiver's language, and a job in the caller's transaction. The job works in two transactions:
it marks the notice as being sent, then sends it and says how it went. A job that is started anew finds that mark and does not send
again, unless the channel can tell twins apart: at most once, because the message stands on the person's pages anyhow, and what
nobody knows is shown to staff, who may send it again.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
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
JOB = "workflow.deliver"
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
    """Write one notice for each of these people and the jobs that send them. `title` is the same for everyone; `values` fill
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
        enqueue(JOB, [(one.pk, f"{JOB}:{one.pk}", one) for one in made], by=SYSTEM)
    return made


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
    contact = _contact(notice)
    channel = channel_for(contact)
    if notice.delivery != "sending":
        return None
    if channel is None:
        return _end(notice, "no_address")
    if run.claim != run.cursor["claim"]:  # whoever took it never said how it went
        return _again(notice, run, "stopped") if channel.tells_twins_apart else _end(notice, "unsure", "stopped")
    try:
        channel.send(_message(notice, contact))
    except NotTaken as no:
        return _again(notice, run, no.trouble)
    except Refused as no:
        return _end(notice, "undelivered", no.trouble)
    except NoAnswer as no:
        return _again(notice, run, no.trouble) if channel.tells_twins_apart else _end(notice, "unsure", no.trouble)
    except Exception as error:  # a channel that a deployment wrote: whatever it raises, nobody knows whether it sent
        logger.error("channel %s failed: %s", channel.name, type(error).__name__)
        return _end(notice, "unsure", "no_answer")
    return _end(notice, "sent")


def _message(notice: Notice, contact: Contact) -> Message:
    address = f"{settings.BASE_URL}{notice.link}" if notice.link else ""
    return Message(str(notice.public_id), notice.title, notice.text, address, contact)


def _end(notice: Notice, delivery: str, trouble: str = "") -> None:
    sent_at = now() if delivery == "sent" else None
    Notice.objects.filter(pk=notice.pk, delivery="sending").update(delivery=delivery, trouble=trouble, sent_at=sent_at)


def _again(notice: Notice, run: Run, trouble: str) -> dict[str, Any] | None:
    """Once more after a while; after the last try it stays undelivered, for staff to see."""
    if notice.attempts > len(BACK_OFF):
        return _end(notice, "undelivered", trouble)
    Notice.objects.filter(pk=notice.pk, delivery="sending").update(delivery="waiting", trouble=trouble)
    run.wait = BACK_OFF[notice.attempts - 1]
    return {}


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


def my_notices(member_id: int) -> list[Notice]:
    """The latest of this person's notices, newest first."""
    return list(Notice.objects.filter(member_key=member_id).order_by("-id")[:SHOWN_NOTICES])


def unread(member_id: int) -> int:
    """How many of this person's notices nobody has looked at, on whichever side of the counter they are now."""
    with everywhere(reason="one's own notices"):
        return Notice.objects.filter(member_key=member_id, read_at__isnull=True).count()


def mark_read(notices: Iterable[Notice]) -> None:
    """They have been shown to the person. One statement."""
    fresh = [one.pk for one in notices if one.read_at is None]
    if fresh:
        Notice.objects.filter(pk__in=fresh).update(read_at=now())
