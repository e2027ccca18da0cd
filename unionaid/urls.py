"""The whole address book: /my for workers, /unit for agents, /admin for staff, the rest for everyone."""

from django.contrib import admin
from django.urls import include, path

from claims import urls as claims
from unionaid import views
from unionaid.accounts import views as accounts

urlpatterns = [
    path("", views.home, name="home"),
    path("health", views.health, name="health"),
    path("language", accounts.choose_language, name="set_language"),
    path("login", accounts.login, name="login"),
    path("logout", accounts.logout, name="logout"),
    path("password", accounts.change_password, name="change_password"),
    path("second-factor", accounts.second_factor_page, name="second_factor"),
    path("", include("members.urls")),
    path("", include("claims.urls")),
    path("", include(claims.at_unit, namespace="filing")),
    path("", include(claims.at_desk, namespace="intake")),
    path("", include("claims.payouts.urls")),
    path("", include("unionaid.workflow.urls")),
    path("admin/", admin.site.urls),
]
