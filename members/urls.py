"""Addresses of this room."""

from django.urls import path

from members.views import account, cover, eligibility, join, unit, would_get

app_name = "members"
urlpatterns = [
    path("sign-up", account.sign_up, name="sign_up"),
    path("verify/<uuid:public_id>", cover.verify, name="verify"),
    path("my/eligibility", eligibility.eligibility, name="eligibility"),
    path("my/eligibility/<slug:name>", eligibility.question, name="question"),
    path("my/plans", eligibility.plans, name="plans"),
    path("my/plans/would-get", would_get.page, name="would_get"),
    path("my/plans/<int:terms_id>", eligibility.plan, name="plan"),
    path("my/plans/<int:terms_id>/join", join.begin, name="join"),
    path("my/join/<uuid:public_id>/person", join.person, name="join_person"),
    path("my/join/<uuid:public_id>/person/<slug:relation>", join.person_new, name="join_person_new"),
    path("my/join/<uuid:public_id>/shares", join.shares, name="join_shares"),
    path("my/join/<uuid:public_id>/papers", join.papers, name="join_papers"),
    path("my/join/<uuid:public_id>/check", join.check, name="join_check"),
    path("my/join/<uuid:public_id>/drop", join.drop, name="join_drop"),
    path("my/join-papers/<uuid:public_id>", join.paper, name="join_paper"),
    path("my/join-papers/<uuid:public_id>/remove", join.paper_remove, name="join_paper_remove"),
    path("my/enrolments/<uuid:public_id>/joined", cover.joined, name="joined"),
    path("my/enrolments/<uuid:public_id>/pay", cover.pay, name="pay"),
    path("my/enrolments/<uuid:public_id>/withdraw", cover.withdraw, name="withdraw"),
    path("my/enrolments/<uuid:public_id>/certificate", cover.certificate, name="certificate"),
    path("my/enrolments/<uuid:public_id>/certificate.pdf", cover.certificate_pdf, name="certificate_pdf"),
    path("my/units/register", unit.register, name="unit_register"),
    path("unit/", unit.home, name="unit_home"),
    path("unit/people", unit.people, name="unit_people"),
    path("unit/units/<int:pk>", unit.unit, name="unit"),
    path("unit/units/<int:pk>/rosters/new", unit.roster_plans, name="roster_plans"),
    path("unit/units/<int:pk>/rosters/new/<int:terms_id>", unit.roster_upload, name="roster_upload"),
    path("unit/units/<int:pk>/rosters/template/<int:terms_id>.xlsx", unit.roster_template, name="roster_template"),
    path("unit/rosters/<int:pk>", unit.roster, name="roster"),
    path("unit/rosters/<int:pk>/confirm", unit.roster_confirm, name="roster_confirm"),
    path("unit/rosters/<int:pk>/cancel", unit.roster_cancel, name="roster_cancel"),
    path("unit/rosters/<int:pk>/result.xlsx", unit.roster_result, name="roster_result"),
]
