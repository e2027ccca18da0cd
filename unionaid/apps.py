"""At start: load Celery, find every jobs.py, register the checks; after a migration, put the walls up and write the functions."""

import gc
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

OWN = ("unionaid.", "programs", "members", "claims")


class DeskConfig(SimpleAdminConfig):
    """Django's admin with our site; only our own apps register models there (see HouseConfig.ready)."""

    default_site = "unionaid.offices.desk.HouseAdminSite"


class HouseConfig(AppConfig):
    name = "unionaid"
    label = "house"
    verbose_name = _("职工互助")

    def ready(self) -> None:
        import_module("unionaid.celery")
        import_module("unionaid.checks")
        import_module("unionaid.web.lookups")
        for config in apps.get_app_configs():
            if config.name.startswith(OWN):
                load_if_there(f"{config.name}.jobs")
                load_if_there(f"{config.name}.admin")
        post_migrate.connect(put_walls_up, sender=apps.get_app_config("offices"))
        post_migrate.connect(write_functions, sender=apps.get_app_config("claims"))
        collect_rarely()


def collect_rarely() -> None:
    """What is loaded at the start stays for good, so Python's collector need not look at it again; and rows are read ten thousand at a
    time, so it need not look after every 700 new objects. It was a third of the time that Python takes for a batch of payments."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def load_if_there(name: str) -> None:
    """Import a drawer of an app when the app has it."""
    if find_spec(name):
        import_module(name)


def put_walls_up(sender: AppConfig, using: str, plan: Any = (), **_: Any) -> None:
    """Grants, row security and triggers, made from the models, as the owner of the tables."""
    row_security = import_module("unionaid.offices.row_security")
    row_security.put_up(connections[using], settings.DATABASES["default"]["USER"])


def write_functions(sender: AppConfig, using: str, plan: Any = (), **_: Any) -> None:
    """The reads that the database keeps as functions, as they are now, as the owner of the tables."""
    with connections[using].cursor() as cursor:
        cursor.execute(import_module("claims.selectors.suspicions").FUNCTION)
