from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OfficesConfig(AppConfig):
    name = "unionaid.offices"
    label = "offices"
    verbose_name = _("机构与岗位")
