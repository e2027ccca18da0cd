"""Addresses of this room."""

from django.urls import path

from claims.views import worker

app_name = "claims"
urlpatterns = [path("my/", worker.home, name="home")]
