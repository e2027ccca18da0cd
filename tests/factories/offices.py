"""The office tree and the people who work in it; also used by the demo world."""

from dataclasses import dataclass, replace
from datetime import date

from unionaid.accounts.models import User
from unionaid.lib.calendar import now
from unionaid.offices.models import Office, StaffPost
from unionaid.offices.roles import Actor, Role
from unionaid.offices.selectors import staff_actor
from unionaid.offices.services import add_office

LONG_AGO = date(2020, 1, 1)
PASSWORD = "mutual-aid-2026"


def make_user(username: str, name: str) -> User:
    """A login with the tests' password."""
    return User.objects.create_user(username, PASSWORD, display_name=name)


def give_post(user: User, office: Office, role: Role) -> StaffPost:
    """A post open since long ago."""
    return StaffPost.objects.create(user=user, office=office, role=role, since=LONG_AGO, confirmed_at=now())


@dataclass
class Cast:
    """小秦 reviews, 老韩 approves, 阿珍 makes batches, 老付 checks them, 老李 releases (manager) at office A; 外人 does everything at
    office B."""

    headquarters: Office
    province: Office
    a: Office
    b: Office
    reviewer: User
    approver: User
    payer: User
    checker: User
    manager: User
    hq_user: User
    auditor: User
    outsider: User

    def actor(self, user: User) -> Actor:
        """The user with the posts of today, who has just proved again who they are."""
        return replace(staff_actor(user, on=date(2026, 6, 1)), proven=True)


def make_cast() -> Cast:
    """Headquarters, one province, two offices, and their staff."""
    hq = add_office(code="000000", name="总部", level="headquarters", parent=None)
    province = add_office(code="610000", name="陕西省办事处", level="province", parent=hq)
    a = add_office(code="610800", name="榆林办事处", level="office", parent=province)
    b = add_office(code="610100", name="西安办事处", level="office", parent=province)
    people = {
        "reviewer": ("s-qin", "秦小明", a, [Role.REVIEWER]),
        "approver": ("s-han", "韩立", a, [Role.APPROVER]),
        "payer": ("s-zhen", "甄珍", a, [Role.PAYER]),
        "checker": ("s-fu", "付明", a, [Role.PAYER]),
        "manager": ("s-li", "李国强", a, [Role.OFFICE_MANAGER]),
        "hq_user": ("s-hq", "总部甲", hq, [Role.HEADQUARTERS]),
        "auditor": ("s-audit", "审计乙", hq, [Role.AUDITOR]),
        "outsider": (
            "s-out",
            "外人",
            b,
            [Role.REVIEWER, Role.APPROVER, Role.PAYER, Role.OFFICE_MANAGER],
        ),
    }
    users = {}
    for key, (username, name, office, roles) in people.items():
        users[key] = make_user(username, name)
        for role in roles:
            give_post(users[key], office, role)
    return Cast(headquarters=hq, province=province, a=a, b=b, **users)
