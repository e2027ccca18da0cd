"""Joining by oneself, step by step: a draft that can be left and taken up again, its papers, and sending it in."""

from datetime import date

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import Enrolment, Evidence, JoinDraft, JoinPaper, Member, WorkUnit
from members.selectors.whole_units import shares_of_unit
from members.services.enrolment import enrol, no_term_words
from programs.models import Terms
from programs.selectors import schedule_of
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import Actor
from unionaid.offices.scope import looking_everywhere
from unionaid.web.files import kept
from unionaid.workflow.moves import Conflict, MoveRefused

MAX_PAPERS = 12
UNITS_ONLY = gettext_lazy("这个计划由单位统一参加，请联系单位经办人。")


class JoinRefused(MoveRefused):
    """The draft cannot go on as it is; `field` names what the message is about."""

    def __init__(self, message: str | Promise, field: str = "") -> None:
        super().__init__(str(message))
        self.field = field


def begin(holder: Member, terms: Terms, *, by: Actor) -> JoinDraft:
    """The worker's draft for these terms: the one there is, or a new one for the worker themself when the plan allows that, or else for
    somebody of the family. JoinRefused where units join for everybody."""
    relations = schedule_of(terms).enrolling.without_list
    if not relations:
        raise JoinRefused(UNITS_ONLY)
    own = {"relation": "self", "member": holder} if "self" in relations else {"relation": relations[0], "member": None}
    draft, _made = JoinDraft.objects.get_or_create(holder=holder, terms=terms, defaults=own)
    return draft


def choose_person(draft: JoinDraft, *, relation: str, member: Member, by: Actor) -> JoinDraft:
    """For whom: the worker, the spouse or a minor child, as far as the plan allows. JoinRefused otherwise."""
    if relation not in schedule_of(draft.terms).enrolling.without_list:
        raise JoinRefused(_("这个计划不能为这个人参加，请另选一位。"), "answer")
    draft.relation, draft.member = relation, member
    draft.save(update_fields=["relation", "member"])
    return draft


def choose_shares(draft: JoinDraft, shares: int, *, by: Actor) -> JoinDraft:
    """How many shares, 1 to the plan's greatest number; where everyone of a unit has the same, as many as the others have. JoinRefused
    otherwise."""
    most = schedule_of(draft.terms).enrolling.max_shares
    if not 1 <= shares <= most:
        raise JoinRefused(_("份数要在 1 到 {most} 之间。").format(most=most), "answer")
    with looking_everywhere(reason="how many shares the others of one's unit have"):
        unit = WorkUnit.objects.filter(pk=draft.holder.unit_id).first()
        fixed = shares_of_unit(draft.terms, unit, draft.relation)
    if fixed not in (None, shares):
        words = _("同一单位的职工份数必须相同，您单位已参加的职工每人 {count} 份，请选 {count} 份。")
        raise JoinRefused(words.format(count=fixed), "answer")
    draft.shares = shares
    draft.save(update_fields=["shares"])
    return draft


def choose_term(draft: JoinDraft, months: int, *, by: Actor) -> JoinDraft:
    """For how many months, of the lengths that the plan offers. JoinRefused otherwise."""
    if months not in schedule_of(draft.terms).terms:
        raise JoinRefused(no_term_words(), "answer")
    draft.term_months = months
    draft.save(update_fields=["term_months"])
    return draft


def add_paper(draft: JoinDraft, *, kind: str, upload: CleanUpload, by: Actor) -> JoinPaper:
    """Keep a paper with the draft; the same file is taken once, and at most MAX_PAPERS. JoinRefused otherwise."""
    if draft.papers.count() >= MAX_PAPERS:
        raise JoinRefused(_("最多上传 {most} 份证明，请先删除不需要的。").format(most=MAX_PAPERS), "file")
    try:
        with transaction.atomic():
            return JoinPaper.objects.create(draft=draft, kind=kind, **kept(upload))
    except IntegrityError as error:
        raise JoinRefused(_("这个文件已经上传过了，请换一个文件。"), "file") from error


def remove_paper(paper: JoinPaper) -> None:
    """Take a paper away before the draft is sent in, with its file."""
    name, store = paper.file.name, paper.file.storage
    paper.delete()
    transaction.on_commit(lambda: store.delete(name), robust=True)


def missing(draft: JoinDraft) -> list[str]:
    """What is still to be done before the draft can be sent in: "person", "term", "papers"."""
    found = [] if draft.member_id else ["person"]
    offered = schedule_of(draft.terms).terms
    if len(offered) > 1 and draft.term_months not in offered:
        found.append("term")
    kinds = {paper.kind for paper in draft.papers.all()}
    wanted = {"relation"} if draft.relation != "self" else {"contract", "insurance", "union_card"}
    return found if kinds & wanted else [*found, "papers"]


def submit(draft: JoinDraft, *, by: Actor, on: date) -> Enrolment:
    """Send the draft in: the enrolment, its evidence and what is owed come about together, and the draft is gone.

    Conflict when somebody sent it in a moment ago; JoinRefused when something is missing; what `enrol` refuses otherwise.
    """
    rows = JoinDraft.objects.select_for_update(of=("self",)).select_related("terms__program", "holder").prefetch_related("papers")
    locked = rows.filter(pk=draft.pk).first()
    if locked is None:
        raise Conflict(_("这份参加申请已经提交，请到“我的保障”查看。"), ())
    if locked.relation not in schedule_of(locked.terms).enrolling.without_list:
        raise JoinRefused(UNITS_ONLY)
    lacks = missing(locked)
    if "person" in lacks:
        raise JoinRefused(_("请先选择为谁参加。"))
    if "term" in lacks:
        raise JoinRefused(no_term_words())
    if "papers" in lacks:
        raise JoinRefused(_("请先上传证明材料。"))
    with looking_everywhere(reason="the person a draft names"):
        member = Member.objects.get(pk=locked.member_id)
        unit = WorkUnit.objects.filter(pk=locked.holder.unit_id).first()
    made = enrol(
        member=member, holder=locked.holder, relation=locked.relation, terms=locked.terms, shares=locked.shares,
        unit=unit, on=on, by=by, term_months=locked.term_months,
    )  # fmt: skip
    Evidence.objects.bulk_create(
        [
            Evidence(
                enrolment=made, kind=paper.kind, file=paper.file.name, file_name=paper.file_name,
                content_type=paper.content_type, sha256=paper.sha256,
            )
            for paper in locked.papers.all()
        ]
    )  # fmt: skip
    locked.delete()
    return made
