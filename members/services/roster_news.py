"""What a roster's people are told: that their unit enrolled them, and that their cover is in force. Part by part in the background:
a roster may have a hundred thousand lines."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from members.models import Enrolment
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import Run
from unionaid.workflow.notices import tell

PART = 2_000
# State of the covers that it is true of, title, text.
ENROLLED = (
    "contribution_due",
    gettext_lazy("单位已为您登记参加互助保障"),
    gettext_lazy("“{unit}”为您参加了“{program}”，保障期从{first}到{last}。互助费到账后保障生效，到时再通知您。"),
)
IN_FORCE = (
    "effective",
    gettext_lazy("您的保障已生效"),
    gettext_lazy("“{program}”的互助费已经到账。您的保障期从{first}到{last}，凭证请在“我的保障”里查看。"),
)


def tell_people(roster_id: int, news: tuple[str, Promise, Promise], run: Run) -> dict[str, Any] | None:
    """The next part of the people of whose cover it is true; whom an earlier run told is not told again. Five statements."""
    state, title, text = news
    with everywhere(reason="tell a roster's people what became of it"):
        rows = Enrolment.objects.filter(roster_id=roster_id, state=state, pk__gt=run.cursor.get("after", 0))
        part = list(rows.select_related("unit", "terms__program").order_by("pk")[:PART])
        if not part:
            return None
        one = part[0]
        values = {"program": one.terms.program.title, "first": one.cover.lower, "last": one.last_day}
        values["unit"] = one.unit.name if one.unit else ""
        tell([cover.holder_id for cover in part], office_id=one.office_id, title=title, text=text, link="/my/", values=values)
    run.done += len(part)
    return {"after": part[-1].pk} if len(part) == PART else None
