"""Addresses of this room."""

from django.urls import URLPattern, path

from claims.views import appeal, apply, covers, draft, filing, notices, relief, unit, worker

app_name = "claims"
_ONE = "my/claims/<uuid:public_id>"


def _form(base: str, papers: str) -> list[URLPattern]:
    """The form from its first question to where the claim stands: the same pages on either side of the counter."""
    one = f"{base}/<uuid:public_id>"
    return [
        path(f"{base}/start", apply.start, name="start"),
        path(f"{base}/start/person", apply.start_person, name="start_person"),
        path(f"{base}/start/day", apply.start_day, name="start_day"),
        path(f"{base}/start/cover", apply.start_cover, name="start_cover"),
        path(f"{one}/", worker.status, name="status"),
        path(f"{one}/resume", draft.resume, name="resume"),
        path(f"{one}/what", draft.what, name="what"),
        path(f"{one}/medical", draft.medical, name="medical"),
        path(f"{one}/stays", draft.stays, name="stays"),
        path(f"{one}/stays/new", draft.stay_new, name="stay_new"),
        path(f"{one}/stays/<int:pk>", draft.stay_edit, name="stay_edit"),
        path(f"{one}/stays/<int:pk>/remove", draft.stay_remove, name="stay_remove"),
        path(f"{one}/documents", draft.documents, name="documents"),
        path(f"{one}/documents/<uuid:paper>/remove", draft.document_remove, name="document_remove"),
        path(f"{one}/account", draft.account, name="account"),
        path(f"{one}/check", draft.check, name="check"),
        path(f"{one}/submitted", worker.submitted, name="submitted"),
        path(f"{one}/event", worker.event, name="event"),
        path(f"{one}/supplement", draft.supplement, name="supplement"),
        path(f"{one}/withdraw", worker.withdraw, name="withdraw"),
        path(f"{one}/appeal", appeal.file, name="appeal"),
        path(f"{one}/appeal/withdraw", appeal.withdraw, name="appeal_withdraw"),
        path(f"{papers}/<uuid:public_id>", worker.document, name="document"),
        path(f"{papers}/<uuid:public_id>/small", worker.document_small, name="document_small"),
    ]


_REST = [
    path("my/covers", covers.page, name="covers"),
    path("my/relief", relief.choices, name="reliefs"),
    path("my/relief/<int:terms_id>", relief.begin, name="relief"),
    path(f"{_ONE}/agree", filing.agree, name="agree"),
    path(f"{_ONE}/objection", filing.object_to, name="filing_object"),
    path("notices", notices.notices, name="notices"),
    path("notices/<uuid:public_id>/object", notices.object_to, name="object_to"),
    path("unit/claims", unit.waiting, name="unit_claims"),
    path("unit/claims/<uuid:public_id>", unit.review, name="unit_claim"),
]
urlpatterns = [path("my/", worker.home, name="home"), *_form("my/claims", "my/papers"), *_REST]
# On the unit's side, and at the desk, the form's own links lead to the form there; all other pages of this room stay where they are.
_AT_UNIT = [
    path("unit/filing", filing.filed, name="home"),
    path("unit/filing/find", filing.find, name="find"),
    path("unit/filing/person", filing.person, name="person"),
    *_form("unit/filing", "unit/papers"),
]
at_unit = ([*_AT_UNIT, *_REST], app_name)
_AT_DESK = [
    path("admin/intake", filing.taken, name="home"),
    path("admin/intake/find", filing.find_at_desk, name="find"),
    path("admin/intake/person", filing.person_at_desk, name="person"),
    path("admin/intake/heir", filing.heir, name="heir"),
    path("admin/intake/<uuid:public_id>/take-over", filing.take_over, name="take_over"),
    *_form("admin/intake", "admin/intake-papers"),
]
at_desk = ([*_AT_DESK, *_REST], app_name)
