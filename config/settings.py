"""One settings file, filled from the environment alone.

Nothing that matters has a working default: a missing SECRET_KEY, DATABASE_URL, REDIS_URL or ALLOWED_HOSTS stops the
process with a sentence. `./touchstone` sets the embedded values (SQLite, Valkey on a socket, loopback) and keeps the
generated secret in the data folder. Every secret may also be given as NAME_FILE, the path of a file that holds it.
"""

from datetime import timedelta
from pathlib import Path

import dj_database_url
from csp.constants import NONCE, NONE, SELF  # noqa: F401  (NONCE is re-exported for templates that need it)
from django.core.exceptions import ImproperlyConfigured
from environs import FileAwareEnv, validate

BASE_DIR = Path(__file__).resolve().parent.parent
env = FileAwareEnv()

try:
    SECRET_KEY = env.str("SECRET_KEY").strip()
    ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS")
    DATABASE_URL = env.str("DATABASE_URL").strip()
    REDIS_URL = env.str("REDIS_URL").strip()
except ValueError as missing:  # EnvError is one; a NAME_FILE that cannot be read is only that
    raise ImproperlyConfigured(
        f"{str(missing).rstrip('.')}. "
        "Start with ./touchstone, which sets the embedded values, or set it yourself (README, Deploy)."
    ) from None
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is empty: give the names people type, with commas between them.")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY is too short: give at least 32 random characters.")

DEBUG = env.bool("DEBUG", default=False)
HTTPS = env.bool("TOUCHSTONE_HTTPS", default=True)  # off only for loopback; ./touchstone up turns it off
DATA_DIR = Path(env.str("TOUCHSTONE_DATA", default=str(BASE_DIR / "var"))).resolve()
BLOB_DIR = DATA_DIR / "blobs"  # uploads, score shards, artefacts: content-addressed or named by generated ids
TRUST_PROXY = env.bool("TRUST_PROXY", default=False)  # one proxy in front, which sets X-Forwarded-Proto and -For
VERSION = "0.1.0"

INSTALLED_APPS = [
    "config.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "labeling",
    "active_learning",
]
AUTH_USER_MODEL = "labeling.User"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "labeling.views.compression.CompressedPages",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "labeling.web.ResponseRules",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "labeling.views.admission.Admission",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "labeling.views.languages.Languages",
    "labeling.sessions.LastSeen",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True
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
                "labeling.web.chrome",
                "labeling.views.languages.words",
            ],
        },
    }
]

# ---- database: SQLite tuned for many writers, or PostgreSQL with a pool -------------------------------------------
NO_DATABASE = "DATABASE_URL must be a sqlite:/// or postgres:// address."
try:
    DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_health_checks=True)}
except ValueError:
    raise ImproperlyConfigured(NO_DATABASE) from None
_database = DATABASES["default"]
_database["ATOMIC_REQUESTS"] = False  # SQLite: reads stay unwrapped, so they never hold the one write lock
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        # Measured: deferred transactions lose hundreds of writes to "database is locked"; IMMEDIATE loses none.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL, not NORMAL: an acknowledged judgment must survive a power cut.
        # 16 MiB of pages a connection: four times as many made an import of 200,000 rows no faster.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000; "
        "PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY; PRAGMA recursive_triggers=ON;",
    }
    # A file, not shared memory: WAL and the timeout apply, and threads see each other's rows.
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
elif _database["ENGINE"].endswith("postgresql"):
    _database["OPTIONS"] = {
        **_database.get("OPTIONS", {}),
        # Only the statements of labeling/statements.py are prepared, and those by name: none is by being asked often.
        # Behind a pooler that lends sessions by transaction nothing may be.
        "prepare_threshold": None if env.bool("DATABASE_POOLER", default=False) else 2**30,
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL_SIZE", default=8), "timeout": 10},
    }
else:
    raise ImproperlyConfigured(NO_DATABASE)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---- accounts ----------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "labeling:projects"
LOGOUT_REDIRECT_URL = "accounts:login"
PASSWORD_RESET_TIMEOUT = 3600
# Five tries of an account, many more from an address, then a pause; never a lock-out (labeling/login_throttle.py).
AXES_HANDLER = "labeling.login_throttle.Throttle"
AXES_FAILURE_LIMIT = 5
LOGIN_ADDRESS_LIMIT = env.int("LOGIN_ADDRESS_LIMIT", default=50)  # a whole school may come from one address
AXES_COOLOFF_TIME = timedelta(minutes=env.int("LOGIN_COOLOFF_MINUTES", default=5))
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # or one wrong try a minute would keep the owner out for ever
AXES_CLIENT_IP_CALLABLE = "labeling.clients.address_of"
AXES_LOCKOUT_CALLABLE = "labeling.web.login_paused"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
SESSION_COOKIE_AGE = 60 * 60 * 12  # without use
SESSION_MAX_DAYS = env.int("SESSION_MAX_DAYS", default=14)  # with use: then one logs in again
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = False  # the ES module sends it back as a header
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "labeling.web.csrf_failure"
INVITE_DAYS = env.int("INVITE_DAYS", default=7)
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="touchstone@localhost")

# ---- web ---------------------------------------------------------------------------------------------------------
if HTTPS:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    if TRUST_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
BODY_MAX_BYTES = 1024 * 1024  # a body of JSON or of a form; files and imports have their own limit
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024  # the fields of a form that takes files: a pasted list
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
FILE_UPLOAD_TEMP_DIR = None
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_HASHED = env.bool("STATIC_HASHED", default=True)  # tests turn it off: no collectstatic before a run
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(BLOB_DIR)}},
    "staticfiles": {
        "BACKEND": "config.static.HashedStaticFiles"
        if STATIC_HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not STATIC_HASHED

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]
USE_TZ = True

# ---- API ---------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "labeling.api.conventions.TokenAuthentication",
        "labeling.api.conventions.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["labeling.api.conventions.DeclaredAction"],
    "DEFAULT_PARSER_CLASSES": ["labeling.api.conventions.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["labeling.api.conventions.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "labeling.api.conventions.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "labeling.api.description.Schema",
    "EXCEPTION_HANDLER": "labeling.api.conventions.problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "PAGE_SIZE": 100,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Touchstone",
    "DESCRIPTION": "Queue pages, record judgments, measure agreement, settle disputes, freeze gold evaluation sets.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "PATH_CONVERTER_OVERRIDES": {"public_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"}},
    "ENUM_NAME_OVERRIDES": {
        "JobStateEnum": "labeling.models.events.Job.State",
        "ItemStateEnum": "labeling.models.items.ItemState",
        "CauseEnum": "labeling.models.resolution.Cause",
    },
}

# ---- jobs --------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
# Losing the broker must not lose work: a message that comes again finds the job claimed, and leaves.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "max_retries": 0,  # a nudge fails at once: with kombu's own patience a request waited six seconds for a dead broker
    "visibility_timeout": 3600,
}
CELERY_TIMEZONE = "UTC"
# A lost job runs again within 60 s: stale + sweep + what the message and the claim take (docs/decisions, 0008).
JOB_HEARTBEAT_SECONDS = env.int("JOB_HEARTBEAT_SECONDS", default=5)
JOB_STALE_SECONDS = env.int("JOB_STALE_SECONDS", default=30)
JOB_SWEEP_SECONDS = env.int("JOB_SWEEP_SECONDS", default=10)
JOB_MAX_ATTEMPTS = env.int("JOB_MAX_ATTEMPTS", default=3)
SCORE_SHARD_ITEMS = env.int("SCORE_SHARD_ITEMS", default=100_000, validate=validate.Range(min=1, max=100_000))
# Each message is worth nothing once the next is sent: while no worker runs they would only pile up.
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for name, task, seconds in [
        ("sweep", "labeling.tasks.sweep", JOB_SWEEP_SECONDS),
        ("retain", "labeling.tasks.retain", 3600),
        ("retrain", "active_learning.tasks.poll", 30),
        ("refit", "labeling.tasks.refit", 60),
    ]
}
JOB_RETENTION_DAYS = env.int("JOB_RETENTION_DAYS", default=90)
IDEMPOTENCY_HOURS = env.int("IDEMPOTENCY_HOURS", default=48)
UPLOAD_RETENTION_DAYS = env.int("UPLOAD_RETENTION_DAYS", default=7)  # of imports that failed or were cancelled
DRAFT_RETENTION_DAYS = env.int("DRAFT_RETENTION_DAYS", default=30)
LEASE_SECONDS = env.int("LEASE_SECONDS", default=900)
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=4 * 1024**3)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logs.JSONLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {"axes": {"level": "ERROR"}, "django.security.DisallowedHost": {"level": "CRITICAL"}},
}
