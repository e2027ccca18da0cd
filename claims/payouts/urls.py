"""Addresses of the back room on the worker's side, and at the desk for whom it took a claim in."""

from django.urls import path

from claims.payouts.views import recovery, worker

app_name = "payouts"
urlpatterns = [
    path("my/claims/<uuid:public_id>/correct-account", worker.correct_account, name="correct_account"),
    path("admin/intake/<uuid:public_id>/correct-account", worker.correct_account_at_desk, name="correct_account_at_desk"),
    path("my/claims/<uuid:public_id>/dispute-account", worker.dispute_account, name="dispute_account"),
    path("my/claims/<uuid:public_id>/recovery", recovery.page, name="recovery"),
]
