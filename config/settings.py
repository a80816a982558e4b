"""All settings, in one file. What varies between places is read from the environment, strictly."""

from datetime import timedelta
from pathlib import Path

from config import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = env.read(
    "SECRET_KEY", env.secret, "Set it to at least 32 random characters, and keep it secret."
)
ALLOWED_HOSTS = env.read(
    "ALLOWED_HOSTS", env.names, "Set it to the host names served, comma-separated."
)
PUBLIC_URL = env.read(
    "PUBLIC_URL",
    env.origin,
    "Set it to the https:// address at which Twilio and browsers reach this service.",
)
DATABASES = {
    "default": env.read(
        "DATABASE_URL",
        env.database,
        "Set it to a Postgres 18 database: postgres://user:password@host/name.",
    )
    | {
        # Worker threads come and go without a request cycle, which a pool would be exhausted by.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
BROKER_URL = env.read("REDIS_URL", env.redis, "Set it to a Redis: redis://:password@host:6379/0.")
TWILIO_ACCOUNTS = env.read(
    "TWILIO_ACCOUNTS",
    env.accounts,
    "Set it to ACsid=auth-token of each Twilio account, comma-separated.",
)
TWILIO_BASE_URL = env.read(
    "TWILIO_BASE_URL",
    env.origin,
    "Leave it out, or set it to the address of Twilio's API.",
    default="https://api.twilio.com",
)
TWILIO_QUIET_SECONDS = env.read(
    "TWILIO_QUIET_SECONDS",
    env.whole_number(1, 3600),
    "Leave it out, or set it to the seconds that Twilio's list may lag behind.",
    # The newest messages can be missing from a fresh list (FACTS, Twilio's behaviour), by a
    # minute where we saw it: only two readings after twice that prove that a text was not taken.
    default="120",
)
MAIL = env.read(
    "EMAIL_URL",
    env.mail,
    "Leave it out (then no e-mail goes), or set it to a mail server and what we write as: "
    "smtps://user:password@host:465?from=community@example.org, or smtp:// for STARTTLS.",
    default="none",
)
TRUSTED_PROXIES = env.read(
    "TRUSTED_PROXIES",
    env.whole_number(0, 9),
    "Leave it out, or set it to the number of proxies before this service that add to "
    "X-Forwarded-For.",
    # Attempts to sign in are counted by address, and a caller could claim any.
    default="0",
)

# --- Django -----------------------------------------------------------------------------------
DEBUG = False
ROOT_URLCONF = "config.urls"
APPEND_SLASH = False  # no address of ours ends in one, and parts of them begin with one
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "accounts",
    "messaging",
    "reminders",
    "community",
    "api",
    "web",
]
MIDDLEWARE = [
    "web.headers.PageHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "api.requests.RequestId",
    "api.requests.BodyLimit",
    "django.middleware.common.CommonMiddleware",
    # Before whatever reads a session.
    "web.community.apart.Apart",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
# Sign-in attempts are counted here. Postgres, not Redis: nothing that matters may need Redis.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_throttle",
    },
    # How often a persona asks is counted in each process: cheaply, and not exactly.
    "pace": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "pace"},
    # What all members are shown alike of how moderation fares: figures, and no words.
    "figures": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "figures",
    },
}
# Loopback is this machine: a relay there needs no TLS.
EMAIL_HOST = MAIL.host
EMAIL_PORT = MAIL.port
EMAIL_HOST_USER = MAIL.user
EMAIL_HOST_PASSWORD = MAIL.password
EMAIL_USE_SSL = MAIL.tls == "whole"
EMAIL_USE_TLS = MAIL.tls == "starttls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = MAIL.sender
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
STATIC_URL = "/static/"
# Served from the packages themselves: there is no collecting step to forget.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
# Django reads forms and knows no limit for JSON: api.requests.BodyLimit holds this for both.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if PUBLIC_URL.startswith("https://") else 0
# Not "no-referrer": browsers then keep the origin of a form to themselves, too, and CSRF's check of
# it would refuse every one. Elsewhere nobody learns where somebody came from.
SECURE_REFERRER_POLICY = "same-origin"

# --- Sessions of people who use the pages, and signing in by phone (allauth) ------------------
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "web.faults.form_refused"
# In the session, not in a cookie: a notice may say what was recorded.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "today"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "web.phone_sign_in.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"phone"}
ACCOUNT_SIGNUP_FIELDS = ["phone*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_PHONE_VERIFICATION_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_SESSION_REMEMBER = True
# Known and unknown numbers alike: five codes to one in a day, sixty to one address.
ACCOUNT_RATE_LIMITS = {"request_login_code": "20/m/ip,60/d/ip,3/m/key,5/d/key"}

# --- Django REST Framework, knox, drf-spectacular --------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.entrance.Token"],
    # Deny by default: a view that doesn't say who may enter lets nobody in.
    "DEFAULT_PERMISSION_CLASSES": ["api.entrance.Nobody"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.Json"],
    "DEFAULT_SCHEMA_CLASS": "api.schema.DescribedView",
    # OPTIONS is answered 405, and ?format= means nothing: there is one format.
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "api.problems.answer",
    "UNAUTHENTICATED_USER": None,
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": timedelta(hours=10)}
SPECTACULAR_SETTINGS = {
    "TITLE": "Dosecircle",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    # Subjects first: all operations at once take a browser many seconds to draw.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none"},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SORT_OPERATIONS": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "Answering": [("ok", "ok")],
        "Status": "reminders.models.Status",
        "StatusWanted": "api.patients.STATUSES_WANTED",
        "DoseState": "api.doses.STATES",
        "TextState": "messaging.models.STATES",
        "Site": "reminders.models.Site",
        "CameBy": "reminders.models.Source",
        "Sign": "api.records.SIGNS",
        "ResultCameBy": "reminders.models.ResultSource",
        "ImportState": "reminders.models.ImportState",
        "TransferState": "reminders.models.Transfer.State",
        "Language": "reminders.models.Language",
        "PostLanguage": "api.community.shapes.LANGUAGES",
        "PersonaRole": "community.models.PersonaRole",
        "BondKind": "community.models.BondKind",
        "PostState": "community.models.PostState",
        "Verdict": "api.community.shapes.VERDICTS",
        "ReactionKind": "community.models.ReactionKind",
        "Tag": "api.community.shapes.TAGS",
        "NoticeKind": "community.models.NoticeKind",
        "CaseKind": "community.models.CaseKind",
        "CaseEventKind": "community.models.CaseEvent.Kind",
        "MeasureKind": "community.models.MeasureKind",
        "MeasureKindToChoose": "api.community.deciding.KINDS",
        "SanctionKind": "community.models.SanctionKind",
        "ReportReason": "community.models.ReportReason",
        "ReportOutcome": "api.community.reporting.OUTCOMES",
        "DecisionReason": "api.community.deciding.REASONS",
        "ItemOutcome": "api.worklist.OUTCOMES",
        "HowItEnded": "api.attending.ENDS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.schema.describe_the_whole",
    ],
}

# --- Logging: to standard error, without personal data ----------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {name} [{request_id}]: {message}",
            "style": "{",
        },
    },
    "filters": {"request": {"()": "accounts.request_id.NameRequest"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # The SDK logs query parameters, telephone numbers among them, at INFO.
        "twilio": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}
