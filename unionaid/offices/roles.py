"""THE table of rights: which role may take which action. Unknown actions are an error, never a yes."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _


class Role(StrEnum):
    """The roles of the house; one person may hold several."""

    WORKER = "worker"
    UNIT_AGENT = "unit_agent"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    PAYER = "payer"
    OFFICE_MANAGER = "office_manager"
    HEADQUARTERS = "headquarters"
    AUDITOR = "auditor"
    SYSTEM_ADMIN = "system_admin"
    SYSTEM = "system"

    @classmethod
    def staff_choices(cls) -> list[tuple[str, object]]:
        return [(role.value, LABELS[role]) for role in STAFF]


LABELS = {
    Role.WORKER: _("职工"),
    Role.UNIT_AGENT: _("单位经办人"),
    Role.REVIEWER: _("初审"),
    Role.APPROVER: _("终审"),
    Role.PAYER: _("出纳"),
    Role.OFFICE_MANAGER: _("办事处负责人"),
    Role.HEADQUARTERS: _("总部"),
    Role.AUDITOR: _("审计"),
    Role.SYSTEM_ADMIN: _("系统管理员"),
    Role.SYSTEM: _("系统"),
}
STAFF = (
    Role.REVIEWER,
    Role.APPROVER,
    Role.PAYER,
    Role.OFFICE_MANAGER,
    Role.HEADQUARTERS,
    Role.AUDITOR,
    Role.SYSTEM_ADMIN,
)

# By these money is decided on and let go, or the log-ins of those who do: the desk opens to them with a second factor alone.
WITH_SECOND_FACTOR = frozenset({Role.APPROVER, Role.PAYER, Role.OFFICE_MANAGER, Role.HEADQUARTERS, Role.SYSTEM_ADMIN})

_W, _U, _S = Role.WORKER, Role.UNIT_AGENT, Role.SYSTEM
_R, _A, _P, _M = Role.REVIEWER, Role.APPROVER, Role.PAYER, Role.OFFICE_MANAGER
_H, _Z, _X = Role.HEADQUARTERS, Role.AUDITOR, Role.SYSTEM_ADMIN

GRANTS: dict[str, frozenset[Role]] = {
    # the worker's side of the counter
    "my.use": frozenset({_W}),
    "enrolments.enrol": frozenset({_W, _U, _S}),
    "enrolments.withdraw": frozenset({_W, _U, _P}),
    "claims.fill": frozenset({_W, _U, _R, _M}),
    "claims.submit": frozenset({_W, _U, _R, _M}),
    "claims.submit_by_rule": frozenset({_S}),
    "claims.recompute": frozenset({_S}),
    "claims.supplement": frozenset({_W, _U, _R, _M}),
    "claims.withdraw": frozenset({_W, _U, _R, _M}),
    "claims.appeal": frozenset({_W, _U, _R, _M}),
    "objections.raise": frozenset({_W, _U, _R, _A, _P, _M, _H, _Z, _X}),
    # the unit's side
    "claims.file_for": frozenset({_U}),
    "claims.unit_review": frozenset({_U}),
    "unit.use": frozenset({_U}),
    "units.take_over": frozenset({_W, _U}),
    "rosters.upload": frozenset({_U, _M}),
    "rosters.commit": frozenset({_U, _M, _S}),
    "rosters.return": frozenset({_R, _M, _S}),
    "certificates.pack": frozenset({_U, _S}),
    # the staff's side
    "desk.use": frozenset({_R, _A, _P, _M, _H, _Z, _X}),
    "units.view": frozenset({_R, _A, _P, _M, _H, _Z}),
    "units.approve": frozenset({_R, _M}),
    "units.restructure": frozenset({_R, _M, _H}),
    "members.view": frozenset({_R, _A, _P, _M, _H, _Z}),
    "members.see_number": frozenset({_R, _A, _P, _M}),
    "corrections.ask": frozenset({_W, _U}),
    "corrections.propose": frozenset({_R, _M}),
    "corrections.view": frozenset({_R, _A, _P, _M, _H, _Z}),
    "corrections.decide": frozenset({_R, _M}),
    "people.change": frozenset({_U, _R, _M, _S}),
    "people.accept": frozenset({_U, _S}),
    "people.confirm_guardian": frozenset({_R, _P, _M}),
    "enrolments.end": frozenset({_U, _R, _M, _S}),
    "voidings.view": frozenset({_R, _A, _P, _M, _H, _Z}),
    "voidings.propose": frozenset({_R, _P, _M}),
    "voidings.release": frozenset({_P, _M}),
    "enrolments.view": frozenset({_R, _A, _P, _M, _H, _Z}),
    "enrolments.refuse": frozenset({_P, _M}),
    "contributions.view": frozenset({_P, _M, _H, _Z}),
    "contributions.confirm": frozenset({_P, _S}),
    "contributions.cancel_unpaid": frozenset({_S}),
    "contributions.correct": frozenset({_P, _M}),
    "dues.move": frozenset({_P, _M, _S}),
    "remittances.move": frozenset({_P, _M, _S}),
    "refunds.release": frozenset({_P, _M}),
    "claims.view": frozenset({_R, _A, _P, _M, _H, _Z}),
    "claims.take_in": frozenset({_R, _M}),
    "claims.review": frozenset({_R}),
    "claims.return": frozenset({_R, _A}),
    "claims.reject": frozenset({_R, _A}),
    "claims.approve": frozenset({_A}),
    "claims.dismiss_flag": frozenset({_R, _A}),
    "claims.note": frozenset({_R, _A, _P, _M}),
    "claims.hold_payment": frozenset({_W, _R, _A, _P, _M}),
    "claims.set_rules": frozenset({_M, _H}),
    "wordings.set_national": frozenset({_H}),
    "claims.pass_by": frozenset({_U, _R, _S}),
    "claims.close_notice": frozenset({_S}),
    "halts.propose": frozenset({_R, _A, _P, _M, _S}),
    "halts.confirm": frozenset({_A, _M}),
    "objections.enter": frozenset({_R, _A, _M}),
    "objections.decide": frozenset({_R, _A, _M}),
    "appeals.enter": frozenset({_R, _A, _M}),
    "appeals.decide": frozenset({_R, _A, _M}),
    "payouts.view": frozenset({_P, _M, _H, _Z}),
    "payouts.assemble": frozenset({_P, _S}),
    "payouts.check": frozenset({_P, _M}),
    "payouts.cancel": frozenset({_P, _M, _S}),
    "payouts.release": frozenset({_P, _M}),
    "payouts.stop": frozenset({_S}),
    "payouts.book": frozenset({_P, _S}),
    "recoveries.view": frozenset({_R, _A, _P, _M, _H, _Z}),
    "recoveries.agree": frozenset({_P, _M}),
    "recoveries.book": frozenset({_P, _S}),
    "recoveries.propose": frozenset({_P, _M}),
    "recoveries.write_off": frozenset({_M}),
    "funds.propose": frozenset({_P, _M}),
    "funds.confirm": frozenset({_M, _H}),
    "periods.propose": frozenset({_P, _M}),
    "periods.close": frozenset({_M, _H}),
    "reconciliations.make": frozenset({_P, _M, _S}),
    "reconciliations.explain": frozenset({_P, _M, _H}),
    "erasures.view": frozenset({_R, _M, _H, _Z}),
    "erasures.ask": frozenset({_R, _M, _H}),
    "erasures.carry_out": frozenset({_M, _H}),
    "ledger.view": frozenset({_P, _M, _H, _Z}),
    "reports.view": frozenset({_M, _H, _Z}),
    "reports.build": frozenset({_M, _H}),
    "money_audits.view": frozenset({_H, _Z}),
    "audit.view": frozenset({_M, _H, _Z}),
    "notices.view": frozenset({_R, _A, _P, _M, _H, _Z}),
    "notices.send_again": frozenset({_R, _M}),
    "bulk.view": frozenset({_R, _A, _P, _M, _H, _Z}),
    "jobs.follow": frozenset({_W, _U, _R, _A, _P, _M, _H, _Z, _X}),
    "jobs.retry": frozenset({_M, _H, _X}),
    "jobs.view": frozenset({_R, _A, _P, _M, _H, _Z, _X}),
    "programs.view": frozenset({_R, _A, _P, _M, _H, _Z}),
    "programs.draft": frozenset({_M, _H, _S}),
    "programs.publish": frozenset({_H, _M, _S}),
    "offices.manage": frozenset({_X}),
    "accounts.manage": frozenset({_X}),
}


@dataclass(frozen=True, slots=True)
class Post:
    """A role in force today and the ids of the offices it covers (its own and all below)."""

    role: Role
    office_id: int
    covers: frozenset[int]


@dataclass(frozen=True, slots=True)
class Actor:
    """The person who acts, with everything that person is today. Made by `offices.selectors.actor_of`."""

    user_id: int | None
    label: str
    posts: tuple[Post, ...] = ()
    member_id: int | None = None
    unit_ids: frozenset[int] = frozenset()
    system: bool = False
    proven: bool = False  # proved again a moment ago who they are (`workflow.stepup`); asked by arrows with `proof`

    @property
    def roles(self) -> frozenset[Role]:
        held = {post.role for post in self.posts}
        if self.member_id is not None:
            held.add(Role.WORKER)
        if self.unit_ids:
            held.add(Role.UNIT_AGENT)
        if self.system:
            held.add(Role.SYSTEM)
        return frozenset(held)

    @property
    def is_staff_post(self) -> bool:
        return bool(self.posts)

    @property
    def needs_second_factor(self) -> bool:
        """Does one of the posts want more than a password?"""
        return any(post.role in WITH_SECOND_FACTOR for post in self.posts)

    @property
    def office_ids(self) -> frozenset[int]:
        """Every office this actor's posts cover."""
        return frozenset().union(*(post.covers for post in self.posts))


SYSTEM = Actor(user_id=None, label="system", system=True)
NOBODY = Actor(user_id=None, label="")


def may(actor: Actor, action: str, office_id: int | None = None) -> bool:
    """May this actor take this action (at this office, when one is given)? KeyError for an unknown action."""
    allowed = GRANTS[action]
    if any(p.role in allowed and (office_id is None or office_id in p.covers) for p in actor.posts):
        return True
    return bool((actor.roles - {p.role for p in actor.posts}) & allowed)
