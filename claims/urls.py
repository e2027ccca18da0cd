"""Addresses of this room."""

from django.urls import path

from claims.views import appeal, apply, covers, draft, notices, relief, unit, worker

app_name = "claims"
_ONE = "my/claims/<uuid:public_id>"
urlpatterns = [
    path("my/", worker.home, name="home"),
    path("my/covers", covers.page, name="covers"),
    path("my/claims/start", apply.start, name="start"),
    path("my/claims/start/person", apply.start_person, name="start_person"),
    path("my/claims/start/day", apply.start_day, name="start_day"),
    path("my/claims/start/cover", apply.start_cover, name="start_cover"),
    path("my/relief", relief.choices, name="reliefs"),
    path("my/relief/<int:terms_id>", relief.begin, name="relief"),
    path(f"{_ONE}/", worker.status, name="status"),
    path(f"{_ONE}/resume", draft.resume, name="resume"),
    path(f"{_ONE}/what", draft.what, name="what"),
    path(f"{_ONE}/medical", draft.medical, name="medical"),
    path(f"{_ONE}/stays", draft.stays, name="stays"),
    path(f"{_ONE}/stays/new", draft.stay_new, name="stay_new"),
    path(f"{_ONE}/stays/<int:pk>", draft.stay_edit, name="stay_edit"),
    path(f"{_ONE}/stays/<int:pk>/remove", draft.stay_remove, name="stay_remove"),
    path(f"{_ONE}/documents", draft.documents, name="documents"),
    path(f"{_ONE}/documents/<uuid:paper>/remove", draft.document_remove, name="document_remove"),
    path(f"{_ONE}/account", draft.account, name="account"),
    path(f"{_ONE}/check", draft.check, name="check"),
    path(f"{_ONE}/submitted", worker.submitted, name="submitted"),
    path(f"{_ONE}/event", worker.event, name="event"),
    path(f"{_ONE}/supplement", draft.supplement, name="supplement"),
    path(f"{_ONE}/withdraw", worker.withdraw, name="withdraw"),
    path(f"{_ONE}/appeal", appeal.file, name="appeal"),
    path(f"{_ONE}/appeal/withdraw", appeal.withdraw, name="appeal_withdraw"),
    path("notices", notices.notices, name="notices"),
    path("notices/<uuid:public_id>/object", notices.object_to, name="object_to"),
    path("unit/claims", unit.waiting, name="unit_claims"),
    path("unit/claims/<uuid:public_id>", unit.review, name="unit_claim"),
    path("my/papers/<uuid:public_id>", worker.document, name="document"),
    path("my/papers/<uuid:public_id>/small", worker.document_small, name="document_small"),
]
