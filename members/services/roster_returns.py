"""What the office does with a roster that is not enrolled: given back to the agent with a reason, or its confirmation taken back."""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import Roster
from members.services.agent_news import tell_agents
from members.services.rosters import RosterRefused, forget_numbers
from unionaid.offices.roles import Actor
from unionaid.web.said import in_every_language
from unionaid.workflow.moves import move


def give_back(roster: Roster, *, by: Actor, note: str) -> Roster:
    """The office does not let the roster be enrolled and says why; its agents are told. Its staged numbers are thrown away."""
    words = _said(note)
    with transaction.atomic():
        move([roster], "return", by=by, note=words, changes={"message": in_every_language([words])})
        forget_numbers(roster)
        text = gettext_lazy("办事处退回了名册“{file}”：{words}。没有登记任何人，改好后可以重新上传。")
        tell_agents(roster.unit, gettext_lazy("名册已退回"), text, file=roster.file_name, words=words.rstrip("。"))
    return roster


def reopen(roster: Roster, *, by: Actor, note: str) -> Roster:
    """The office takes back a confirmation that cannot be carried out (the log-in of whoever confirmed was closed): the preview
    stands, to be confirmed anew. All or nothing: an enrolment that is under way ends first, and then there is nothing to take back."""
    words = _said(note)
    with transaction.atomic():
        move([roster], "reopen", by=by, note=words)
        text = gettext_lazy("名册“{file}”确认以后没有登记成，办事处已退回到核对完成：{words}。请打开名册再看一遍结果，再确认一次。")
        tell_agents(roster.unit, gettext_lazy("名册要再确认一次"), text, file=roster.file_name, words=words.rstrip("。"))
    return roster


def _said(note: str) -> str:
    if not note.strip():
        raise RosterRefused(_("请写明原因，单位经办人会看到这段话。"))
    return note.strip()
