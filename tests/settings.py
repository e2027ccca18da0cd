"""The house's own settings with fast hashers and throw-away keys; the servers come from the environment."""

import atexit
import os
import shutil
import tempfile

os.environ.setdefault("SECRET_KEY", "only for tests, never for people: 0123456789abcdef0123456789")
os.environ.setdefault("FIELD_KEYS", "t1:" + "A" * 43)
os.environ.setdefault("BLIND_INDEX_KEY", "B" * 43)
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379/0")
if "VAR_DIR" not in os.environ:  # the first process of the tests makes it for all, and takes it away
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="unionaid-tests-")
    atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)
os.environ.setdefault("INSECURE_HTTP", "1")
os.environ.setdefault("SECOND_FACTOR_REQUIRED", "0")  # what asks for it puts it on
if _worker := os.environ.get("PYTEST_XDIST_WORKER"):  # "gw1": each process of the tests has its own broker database and folder
    os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{_worker[2:]}"
    os.environ["VAR_DIR"] = os.path.join(os.environ["VAR_DIR"], _worker)

from unionaid.settings import *  # noqa: E402,F403 (the variables above must be set first)

# Many wait for one lock, and hold it while others come, on a machine that does other work: what is meant to wait in vain says so itself.
BUSY_MACHINE = "-c lock_timeout=60000 -c statement_timeout=180000 -c idle_in_transaction_session_timeout=180000"

MIDDLEWARE = ["tests.factories.clock.on_the_clock", *MIDDLEWARE]  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
# The application role sees the very database that the owner role made and migrated.
for _one in DATABASES.values():  # noqa: F405
    _one["CONN_MAX_AGE"] = 0  # the live server's threads let go of the database at once
    _one["OPTIONS"]["options"] += f" {BUSY_MACHINE}"
DATABASES["default"]["TEST"] = {"MIRROR": "owner"}  # noqa: F405
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
