"""Addresses of the back room on the worker's side."""

from django.urls import path

from claims.payouts.views import recovery, worker

app_name = "payouts"
urlpatterns = [
    path("my/claims/<uuid:public_id>/correct-account", worker.correct_account, name="correct_account"),
    path("my/claims/<uuid:public_id>/dispute-account", worker.dispute_account, name="dispute_account"),
    path("my/claims/<uuid:public_id>/recovery", recovery.page, name="recovery"),
]
