"""Work units: registered by an agent (draft, then sent in), taken in by the office; later changes take effect when approved."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import AgentChange, UnitAgent, UnitChange, UnitPaper, WorkUnit
from members.services.agent_news import tell_agents
from unionaid.accounts.models import User
from unionaid.lib.identity import parse_credit_code
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.offices.scope import everywhere
from unionaid.web.files import kept
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record

# What a unit's record says of it, beside the office responsible for it.
FIELDS = (
    "name", "credit_code", "union_credit_code", "nature", "civil_servant_subsidy", "industry", "risk", "headcount", "women_count",
)  # fmt: skip
# A change of these is shown by a paper.
PROVEN = ("name", "credit_code", "union_credit_code")
MOST_PAPERS = 20


class UnitRefused(MoveRefused):
    """The unit cannot be registered or changed as it is; the message says why, `field` where."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def register_unit(
    *,
    name: str,
    credit_code: str,
    nature: str,
    headcount: int,
    women_count: int,
    office: Office,
    agent: User,
    by: Actor,
    on: date,
    civil_servant_subsidy: bool = False,
    industry: str = "",
    risk: str = "",
    union_credit_code: str = "",
    papers: Sequence[CleanUpload] = (),
) -> WorkUnit:
    """An agent registers a unit with the office responsible for it; the office approves it. One record per credit code."""
    values = {
        "name": name, "credit_code": credit_code, "union_credit_code": union_credit_code, "nature": nature, "headcount": headcount,
        "women_count": women_count, "civil_servant_subsidy": civil_servant_subsidy, "industry": industry, "risk": risk,
    }  # fmt: skip
    with transaction.atomic():
        return submit(save_draft(values, office=office, agent=agent, papers=papers, by=by, on=on), by=by)


def save_draft(
    values: Mapping[str, Any], *, office: Office, agent: User, by: Actor, on: date, papers: Sequence[CleanUpload] = ()
) -> WorkUnit:
    """Begin a registration; what is not known yet may be left out. The agent finds it among their units and goes on later."""
    told = checked(values)
    with transaction.atomic(), everywhere(reason="begin the registration of a unit"):
        unit = WorkUnit.objects.create(office=office, **told)
        UnitAgent.objects.create(office=office, unit=unit, user=agent, since=on)
        _keep(unit, papers)
        record([unit], "register", by=by)
    return unit


def edit_draft(
    unit: WorkUnit, values: Mapping[str, Any], *, office: Office | None, by: Actor, papers: Sequence[CleanUpload] = ()
) -> WorkUnit:
    """Write more into a draft."""
    told = {**checked(values), **({"office": office} if office else {})}
    _locked(unit, "draft", _("这份登记已经提交，不能再改草稿。请刷新页面再看。"))
    WorkUnit.objects.filter(pk=unit.pk).update(**told, version=F("version") + 1)
    if office:
        UnitAgent.objects.filter(unit=unit).update(office=office)
    _keep(unit, papers)
    unit.refresh_from_db()
    record([unit], "save_draft", by=by)
    return unit


def submit(unit: WorkUnit, *, by: Actor) -> WorkUnit:
    """The agent sends the draft in. From now on the credit code is the unit's alone."""
    complete(unit.__dict__)
    acting = replace(by, unit_ids=by.unit_ids | {unit.pk})  # whoever began the draft is its agent since
    with refusals(), transaction.atomic(), everywhere(reason="send in the registration of a unit"):
        return move([unit], "submit", by=acting)[0]


def resubmit(unit: WorkUnit, changes: Mapping[str, Any], *, papers: Sequence[CleanUpload] = (), by: Actor) -> WorkUnit:
    """The agent corrects a returned record and sends it in again. The office stays."""
    told = checked(changes, beside=unit)
    complete({**unit.__dict__, **told})
    with refusals(), transaction.atomic():
        _keep(unit, papers)
        return move([unit], "resubmit", by=by, changes=told)[0]


def remove_paper(paper: UnitPaper, *, by: Actor) -> None:
    """Take a paper away again while the registration is not with the office."""
    if paper.unit.state not in ("draft", "returned") or paper.change_id:
        raise UnitRefused(_("登记已经提交，材料不能再删除。"))
    name, store = paper.file.name, paper.file.storage
    paper.delete()
    transaction.on_commit(lambda: store.delete(name), robust=True)
    record([paper.unit], "save_draft", by=by)


def approve_unit(unit: WorkUnit, *, by: Actor) -> WorkUnit:
    """The office takes the unit in; its agents are told."""
    with transaction.atomic():
        move([unit], "approve", by=by)
        text = gettext_lazy("办事处已通过“{unit}”的登记，现在可以上传名册，为职工参加互助保障。")
        tell_agents(unit, gettext_lazy("单位登记已通过"), text)
    return unit


def return_unit(unit: WorkUnit, *, by: Actor, note: str) -> WorkUnit:
    """The office sends the record back to the agent, saying what is to be changed; the agents are told."""
    words = said(note)
    with transaction.atomic():
        move([unit], "return", by=by, note=words)
        text = gettext_lazy("办事处退回了“{unit}”的登记：{words}。改好后请重新提交。")
        tell_agents(unit, gettext_lazy("单位登记要修改"), text, words=words.rstrip("。"))
    return unit


def said(note: str) -> str:
    """The words that go with sending something back; UnitRefused when there are none."""
    if not note.strip():
        raise UnitRefused(_("请写明要修改什么，单位经办人会看到这段话。"), "note")
    return note.strip()


# -- changes of an approved record ---------------------------------------------------------------------------------


def ask_change(
    unit: WorkUnit,
    values: Mapping[str, Any],
    *,
    by: Actor,
    office: Office | None = None,
    reason: str = "",
    papers: Sequence[CleanUpload] = (),
) -> UnitChange:
    """The agent asks for other values in an approved record; they take effect when the office approves. One at a time."""
    asked = {name: value for name, value in checked(values, beside=unit).items() if value != getattr(unit, name)}
    before = {name: getattr(unit, name) for name in asked}
    if office and office.pk != unit.office_id:
        asked["office"], before["office"] = office.pk, unit.office_id
    if not asked:
        raise UnitRefused(_("内容和现在登记的一样，没有要变更的。"))
    complete({**unit.__dict__, **asked})
    if any(name in asked for name in PROVEN) and not papers:
        raise UnitRefused(_("变更单位名称或信用代码，请上传证明（例如更名批复、新的证照）。"), "paper")
    if "credit_code" in asked:
        _refuse_taken_code(asked["credit_code"])
    with refusals(), transaction.atomic():
        _locked(unit, "approved", _("单位还没有通过登记，或已并入其他单位，不能变更。"))
        change = UnitChange.objects.create(
            office_id=unit.office_id, unit=unit, values=asked, before=before, reason=reason.strip(), asked_by_id=by.user_id
        )
        _keep(unit, papers, change=change)
        record([change], "ask_change", by=by, details={"fields": sorted(asked)})
    return change


def approve_change(change: UnitChange, *, by: Actor) -> UnitChange:
    """The office lets a change take effect. Moving the unit to another office takes someone who may act at both."""
    values = dict(change.values)
    moved_to = values.pop("office", None)
    if not may_approve_change(change, by=by) and moved_to:
        raise NotAllowed(_("换办事处要由管辖这两个办事处的上级办理。"))
    with refusals(), transaction.atomic():
        move([change], "move_office" if moved_to else "approve", by=by)
        unit = _locked(change.unit, "approved", _("单位已并入其他单位，不能变更。"))
        people = {"people": _move_to_office(unit, moved_to)} if moved_to else {}
        WorkUnit.objects.filter(pk=unit.pk).update(**values, version=F("version") + 1)
        record([unit], "change_record", by=by, details={"before": change.before, "after": change.values, **people})
        tell_agents(unit, gettext_lazy("单位变更已生效"), gettext_lazy("办事处已通过“{unit}”的变更，从现在起按新的登记办理。"))
    change.unit.refresh_from_db()
    return change


def may_approve_change(change: UnitChange, *, by: Actor) -> bool:
    """May this person let the change take effect?"""
    if moved_to := change.values.get("office"):
        return all(may(by, "units.restructure", office) for office in (change.office_id, moved_to))
    return may(by, "units.approve", change.office_id)


# The people of a unit, and the new office among those that may see them; the old one stays responsible for what it took in.
_PEOPLE = """
UPDATE members_member SET office_id = %(office)s,
    office_ids = CASE WHEN %(office)s = ANY(office_ids) THEN office_ids ELSE office_ids || %(office)s::bigint END
WHERE unit_id = %(unit)s AND (office_id IS DISTINCT FROM %(office)s OR NOT %(office)s = ANY(office_ids))"""


def _move_to_office(unit: WorkUnit, office_id: int) -> int:
    """What is open of the unit goes along, and its people; its rosters, enrolments and claims stay with the office that took them.
    How many people went; the same statements however many."""
    WorkUnit.objects.filter(pk=unit.pk).update(office=office_id)
    UnitAgent.objects.filter(unit=unit).update(office=office_id)
    AgentChange.objects.filter(unit=unit, state__in=["asked", "submitted"]).update(office=office_id)
    with everywhere(reason="the people of a unit that goes to another office"), connection.cursor() as cursor:
        cursor.execute(_PEOPLE, {"unit": unit.pk, "office": office_id})
        return cursor.rowcount


def return_change(change: UnitChange, *, by: Actor, note: str) -> UnitChange:
    """The office does not let it take effect, and says what is wrong; the values in force stay."""
    words = said(note)
    with transaction.atomic():
        move([change], "return", by=by, note=words, changes={"answer": words})
        text = gettext_lazy("办事处退回了“{unit}”的变更：{words}。现在的登记不变，改好后可以再提交。")
        tell_agents(change.unit, gettext_lazy("单位变更已退回"), text, words=words.rstrip("。"))
    return change


def withdraw_change(change: UnitChange, *, by: Actor) -> UnitChange:
    """The agent takes the change back before anyone has decided."""
    return move([change], "withdraw", by=by)[0]


# -- what all of them share ------------------------------------------------------------------------------------------


def checked(values: Mapping[str, Any], *, beside: WorkUnit | None = None) -> dict[str, Any]:
    """The values with their codes in one form; UnitRefused for figures that cannot be, KeyError for what is no field of a unit."""
    unknown = set(values) - set(FIELDS)
    if unknown:
        raise KeyError(sorted(unknown))
    told = {name: parse_credit_code(value) if value and name.endswith("credit_code") else value for name, value in values.items()}
    whole = {**({name: getattr(beside, name) for name in FIELDS} if beside else {}), **told}
    if whole.get("women_count", 0) > whole.get("headcount", 0):
        raise UnitRefused(_("女职工人数不能大于职工人数，请核对。"), "women_count")
    if whole.get("union_credit_code") and whole["union_credit_code"] == whole.get("credit_code"):
        raise UnitRefused(_("工会的信用代码和单位的一样，请填工会法人资格证书上的代码；没有的空着。"), "union_credit_code")
    return told


def complete(whole: Mapping[str, Any]) -> None:
    """What must be known before the office looks at a record."""
    words = {
        "name": _("请填写单位全称"), "credit_code": _("请填写统一社会信用代码"), "nature": _("请选择单位性质"),
        "headcount": _("请填写在职职工人数，至少 1 人"),
    }  # fmt: skip
    for name, message in words.items():
        if not whole.get(name):
            raise UnitRefused(message, name)


def _locked(unit: WorkUnit, state: str, otherwise: str) -> WorkUnit:
    """The unit's row, locked; UnitRefused when it is not in this state now."""
    row = WorkUnit.objects.select_for_update(of=("self",)).filter(pk=unit.pk, state=state).first()
    if row is None:
        raise UnitRefused(otherwise)
    return row


def _refuse_taken_code(code: str) -> None:
    with everywhere(reason="does another unit have this credit code"):
        if WorkUnit.objects.filter(credit_code=code).exclude(state="draft").exists():
            raise UnitRefused(_taken(), "credit_code")


def _taken() -> str:
    return _("这个统一社会信用代码的单位已经登记过，请联系办事处。")


@contextmanager
def refusals() -> Iterator[None]:
    """Says what the database refused."""
    try:
        yield
    except IntegrityError as error:
        words = {
            "unit_credit_code_once": (_taken(), "credit_code"),
            "one_pending_unit_change": (_("已有一份变更在等办事处审核，等它办完再提新的，或者先撤回它。"), ""),
            "unit_women_within_headcount": (_("女职工人数不能大于职工人数，请核对。"), "women_count"),
        }
        for constraint, (message, field) in words.items():
            if constraint in str(error):
                raise UnitRefused(message, field) from error
        raise


def _keep(unit: WorkUnit, papers: Sequence[CleanUpload], *, change: UnitChange | None = None) -> None:
    if papers and UnitPaper.objects.filter(unit=unit).count() + len(papers) > 5 * MOST_PAPERS:
        raise UnitRefused(_("材料太多了，请合并成一份 PDF 再传。"), "paper")
    UnitPaper.objects.bulk_create(
        [UnitPaper(unit=unit, change=change, **kept(paper)) for paper in papers], ignore_conflicts=True
    )
