"""Every setting of the house, all from the environment.

Closed by default: a missing secret or database address stops the start with a line that names it.
"""

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def required(name: str) -> str:
    """The variable's text; refuses to start without it."""
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"The environment variable {name} is required (see .env.example).")
    return value


def flag(name: str, *, default: bool = False) -> bool:
    """A switch: only 0, 1, true, false, yes, no, on, off are understood."""
    text = env.str(name, default="1" if default else "0").strip().lower()
    if text not in {"0", "1", "true", "false", "yes", "no", "on", "off", ""}:
        raise ImproperlyConfigured(f"{name}={text!r} is neither on nor off.")
    return text in {"1", "true", "yes", "on"}


def names(name: str, *, default: str = "") -> list[str]:
    """A comma-separated list without empty parts."""
    return [part.strip() for part in env.str(name, default=default).split(",") if part.strip()]


def chosen(name: str, allowed: tuple[str, ...], *, default: str) -> list[str]:
    """A comma-separated list of some of `allowed`, at least one, none twice, in the order that counts."""
    found = names(name, default=default)
    if not found or len(set(found)) != len(found) or not set(found) <= set(allowed):
        raise ImproperlyConfigured(f"{name}={','.join(found)!r}: choose among {', '.join(allowed)}, each at most once.")
    return found


def seconds(name: str, *, default: int, most: int) -> int:
    """A whole number of seconds from 1 to `most`."""
    text = env.str(name, default="").strip() or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most):
        raise ImproperlyConfigured(f"{name}={text!r} is not a whole number of seconds from 1 to {most}.")
    return int(text)


DEBUG = flag("DEBUG")
DEMO = flag("DEMO")
SECRET_KEY = required("SECRET_KEY")
FIELD_KEYS = required("FIELD_KEYS")
BLIND_INDEX_KEY = required("BLIND_INDEX_KEY")
ALLOWED_HOSTS = names("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = names("CSRF_TRUSTED_ORIGINS")
BASE_URL = env.str("BASE_URL", default="http://localhost:8000").rstrip("/")
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))

INSTALLED_APPS = [
    "unionaid.apps.HouseConfig",
    "unionaid.accounts",
    "unionaid.offices",
    "unionaid.workflow",
    "unionaid.ledger",
    "programs",
    "members",
    "claims",
    "claims.payouts",
    "unionaid.books",
    "unionaid.reports",
    "unionaid.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "axes",
    "csp",
    "django_htmx",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "unionaid.middleware.ScopeMiddleware",
    "unionaid.middleware.GivenPasswordMiddleware",
    "unionaid.middleware.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "unionaid.urls"
WSGI_APPLICATION = "unionaid.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# Two doors to one database: the application role runs and owns nothing, the owner role migrates. What a session keeps (prepared
# statements, functions) is planned once and not for the values of each call.
_timeouts = "-c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000 -c statement_timeout=60000"
# A session whose process was killed, or whose host is gone, ends in the middle of its statement or its waiting, and its locks with it.
_orphans = "-c client_connection_check_interval=5000 -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
_session = f"{_timeouts} {_orphans} -c plan_cache_mode=force_generic_plan"
# Off behind a pool that gives each transaction another session.
PREPARED_STATEMENTS = env.bool("PREPARED_STATEMENTS", default=True)


def database(name: str, fallback: str = "", options: str = _session) -> dict[str, object]:
    """Connection settings read from the URL in the environment variable `name`."""
    url = env.str(name, default="") or (required(fallback) if fallback else required(name))
    parsed: dict[str, object] = env.db_url_config(url)
    if parsed["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured(f"{name} must be a postgres:// address.")
    parsed["CONN_MAX_AGE"] = 60
    parsed["CONN_HEALTH_CHECKS"] = True
    parsed["OPTIONS"] = {**parsed.get("OPTIONS", {}), "options": options}  # type: ignore[dict-item]
    return parsed


DATABASES = {
    "default": database("DATABASE_URL"),
    "owner": database("DATABASE_OWNER_URL", fallback="DATABASE_URL", options=f"-c lock_timeout=5000 {_orphans}"),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = required("REDIS_URL")
# News of running jobs, nothing that matters: a cache that is down must not keep anybody waiting.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "unionaid",
        "OPTIONS": {"socket_connect_timeout": 0.3, "socket_timeout": 0.3},
    }
}
CELERY_BROKER_URL = REDIS_URL

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "unionaid.accounts.backends.NumberBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "unionaid.accounts.passwords.LongEnough",
        "OPTIONS": {"min_length": 8},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
# Whoever decides on money or lets it go sets up an authenticator before the desk opens; the demo's people need none.
SECOND_FACTOR_REQUIRED = flag("SECOND_FACTOR_REQUIRED", default=not DEMO)
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours: nobody can be locked out for ever by a stranger
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "unionaid.accounts.selectors.typed_number"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_CALLABLE = "unionaid.accounts.views.locked_out"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]  # zh: each in its own language
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {
        # Papers of workers: sealed bytes, wherever they lie. Another backend may lie under the seal.
        "BACKEND": "unionaid.web.storage.SealedStorage",
        "OPTIONS": {
            "backend": env.str("DOCUMENTS_BACKEND", default="django.core.files.storage.FileSystemStorage"),
            "options": env.json("DOCUMENTS_OPTIONS", default={"location": str(VAR_DIR / "documents")}),
        },
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler",
                        "django.core.files.uploadhandler.TemporaryFileUploadHandler"]

# Notices leave by the first of these channels that reaches the person.
NOTICE_CHANNELS = chosen("NOTICE_CHANNELS", ("log", "email", "sms"), default="log")
EMAIL_HOST = required("EMAIL_HOST") if "email" in NOTICE_CHANNELS else "localhost"
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = seconds("EMAIL_TIMEOUT", default=10, most=15)
# Whom the nightly audit of money writes to when it finds something; nobody: the log alone says it.
ALARM_TO = names("ALARM_TO")
DEFAULT_FROM_EMAIL = required("EMAIL_FROM") if "email" in NOTICE_CHANNELS else "notices@localhost"
SMS_GATEWAY = required("SMS_GATEWAY") if "sms" in NOTICE_CHANNELS else ""
SMS_GATEWAY_URL = env.str("SMS_GATEWAY_URL", default="")
SMS_GATEWAY_TOKEN = env.str("SMS_GATEWAY_TOKEN", default="")
SMS_CONNECT_SECONDS = seconds("SMS_CONNECT_SECONDS", default=5, most=15)
SMS_READ_SECONDS = seconds("SMS_READ_SECONDS", default=10, most=30)
SMS_RECORD_FILE = Path(env.str("SMS_RECORD_FILE", default=str(VAR_DIR / "sms.jsonl")))

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [SELF],
    }
}

# Served over HTTPS unless said otherwise (the demo on a loopback address says otherwise).
INSECURE_HTTP = flag("INSECURE_HTTP", default=DEMO or DEBUG)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if flag("BEHIND_TLS_PROXY") else None
SECURE_SSL_REDIRECT = not INSECURE_HTTP
SECURE_HSTS_SECONDS = 0 if INSECURE_HTTP else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not INSECURE_HTTP
SECURE_HSTS_PRELOAD = not INSECURE_HTTP
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME = "session" if INSECURE_HTTP else "__Host-session"
SESSION_COOKIE_SECURE = not INSECURE_HTTP
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "csrftoken" if INSECURE_HTTP else "__Host-csrftoken"
CSRF_COOKIE_SECURE = not INSECURE_HTTP
CSRF_FAILURE_VIEW = "unionaid.views.csrf_failure"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"scrub": {"()": "unionaid.web.logs.ScrubNumbers"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s",
                            "()": "unionaid.web.logs.ScrubbingFormatter"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "filters": ["scrub"], "formatter": "line"}
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"django": {"handlers": [], "propagate": True},
                "axes": {"level": "WARNING"},
                "fontTools": {"level": "WARNING"}},
}
SILENCED_SYSTEM_CHECKS: list[str] = []
SITE_TITLE = _("职工互助")
