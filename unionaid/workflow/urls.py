"""Addresses of this room."""

from django.urls import path

from unionaid.workflow import views

app_name = "workflow"
urlpatterns = [
    path("jobs/<uuid:public_id>", views.job_page, name="job"),
    path("my/notices", views.notices, name="notices"),
]
