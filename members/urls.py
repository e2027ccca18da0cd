"""Addresses of this room."""

from django.urls import path

from members.views import unit, worker

app_name = "members"
urlpatterns = [
    path("sign-up", worker.sign_up, name="sign_up"),
    path("my/enrolments/<uuid:public_id>/certificate.pdf", worker.certificate_pdf, name="certificate_pdf"),
    path("verify/<uuid:public_id>", worker.verify, name="verify"),
    path("unit/", unit.home, name="unit_home"),
]
