"""Work units: registration by an agent, approval by the office, the agents who act for them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from members.models import UnitAgent, UnitPaper, WorkUnit
from unionaid.accounts.models import User
from unionaid.lib.identity import parse_credit_code
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere
from unionaid.web.files import keep
from unionaid.workflow.moves import MoveRefused, move, record


class UnitRefused(MoveRefused):
    """The unit cannot be registered as it is; the message says why."""


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
    papers: Sequence[CleanUpload] = (),
) -> WorkUnit:
    """An agent registers a unit with the office responsible for it; the office approves it. One record per credit code."""
    if women_count > headcount:
        raise UnitRefused(_("女职工人数不能大于职工人数，请核对。"))
    try:
        with transaction.atomic(), everywhere(reason="register a unit"):
            unit = WorkUnit.objects.create(
                office=office,
                name=name,
                credit_code=parse_credit_code(credit_code),
                nature=nature,
                headcount=headcount,
                women_count=women_count,
                civil_servant_subsidy=civil_servant_subsidy,
                industry=industry,
            )
            UnitAgent.objects.create(office=office, unit=unit, user=agent, since=on)
            _keep(unit, papers)
            record([unit], "register", by=by)
    except IntegrityError as error:
        raise UnitRefused(_("这个统一社会信用代码的单位已经登记过，请联系办事处。")) from error
    return unit


def _keep(unit: WorkUnit, papers: Sequence[CleanUpload]) -> None:
    UnitPaper.objects.bulk_create(
        [
            UnitPaper(unit=unit, file=keep(paper), file_name=paper.file_name, content_type=paper.content_type, sha256=paper.sha256)
            for paper in papers
        ],
        ignore_conflicts=True,
    )


CORRECTABLE = ("name", "nature", "headcount", "women_count", "civil_servant_subsidy", "industry")


def resubmit(unit: WorkUnit, changes: Mapping[str, Any], *, papers: Sequence[CleanUpload] = (), by: Actor) -> WorkUnit:
    """The agent corrects a returned record and sends it in again. The credit code and the office stay."""
    unknown = set(changes) - set(CORRECTABLE)
    if unknown:
        raise KeyError(sorted(unknown))
    if changes.get("women_count", 0) > changes.get("headcount", unit.headcount):
        raise UnitRefused(_("女职工人数不能大于职工人数，请核对。"))
    _keep(unit, papers)
    return move([unit], "resubmit", by=by, changes=dict(changes))[0]


def approve_unit(unit: WorkUnit, *, by: Actor) -> WorkUnit:
    """The office takes the unit in."""
    return move([unit], "approve", by=by)[0]


def return_unit(unit: WorkUnit, *, by: Actor, note: str) -> WorkUnit:
    """The office sends the record back to the agent, saying what is to be changed."""
    if not note.strip():
        raise UnitRefused(_("请写明要修改什么，单位经办人会看到这段话。"))
    return move([unit], "return", by=by, note=note.strip())[0]
