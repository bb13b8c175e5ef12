"""Django's settings. Everything that differs between installations comes from the environment or the data folder."""

import os
from pathlib import Path

from csp.constants import NONCE, SELF
from django.utils.translation import gettext_lazy as _

from karez.kernel import addresses
from karez.system import clock, database, keys, logs, paths, reached

BASE_DIR = paths.PROJECT
PACKAGE = Path(__file__).resolve().parent
SEALING_KEY = keys.for_settings()
SECRET_KEY = os.environ.get("KAREZ_SECRET_KEY") or keys.django_secret(SEALING_KEY)
DEBUG = False
ALLOWED_HOSTS = addresses.hosts(reached.names())
BEHIND_TLS = reached.behind_tls()
TRUSTED_PROXIES = reached.proxies()  # whose word on address and TLS is taken; see karez.access.visitors

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
]
ROOMS = [
    "access", "places", "periods", "records", "intake", "notices", "ledger", "returns", "register",
    "funds", "mutual_funds", "closing", "figures", "proofreader", "wording", "chapter",
    "comparison", "trace", "publication", "web",
]  # fmt: skip
INSTALLED_APPS += [f"karez.{room}" for room in ROOMS if (PACKAGE / room / "apps.py").exists()]

DATABASES = {"default": database.settings(database.APP), "owner": database.settings(database.OWNER)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "access.User"

MIDDLEWARE = [
    "karez.access.visitors.VisitorMiddleware",
    "karez.web.middleware.RouteMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "karez.access.idle.IdleMiddleware",
    "karez.access.first_sign_in.FirstSignIn",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
if (PACKAGE / "web" / "middleware.py").exists():
    MIDDLEWARE += [
        f"karez.web.middleware.{name}"
        for name in ("PrivateMiddleware", "ReadingMiddleware", "RefusalMiddleware", "ReadableMiddleware")
    ]

ROOT_URLCONF = "karez.web.urls" if (PACKAGE / "web" / "urls.py").exists() else "karez.kernel.no_urls"
WSGI_APPLICATION = "karez.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ]
            + (["karez.web.context.shell"] if (PACKAGE / "web" / "context.py").exists() else []),
        },
    }
]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "karez.access.adapter.ClosedSignup"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_RATE_LIMITS = {"login_failed": False}  # karez.access.guessing counts, in the database that all processes share
ACCOUNT_FORMS = {
    "login": "karez.access.sign_in_forms.SignInForm",
    "change_password": "karez.access.sign_in_forms.ChangePassword",
}
MFA_FORMS = {
    "authenticate": "karez.access.sign_in_forms.SecondFactor",
    "reauthenticate": "karez.access.sign_in_forms.SecondFactorAgain",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "karez.access.visitors.locked_address"
AXES_USERNAME_CALLABLE = "karez.access.guessing.locked_name"
AXES_LOCKOUT_TEMPLATE = "web/locked.html"

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [PACKAGE / "web" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = clock.zone()
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "/static/"
STATIC_ROOT = PACKAGE / "web" / "static"  # nothing is collected: files are served from the packages
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = (
        "HTTP_X_FORWARDED_PROTO",
        "https",
    )  # what others than our proxies say there is taken away before
    CSRF_TRUSTED_ORIGINS = addresses.origins(reached.names())
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds after signing in, whatever is done meanwhile
SESSION_IDLE_SECONDS = 30 * 60  # without a page asked for; see karez.access.idle
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_TEMP_DIR = str(paths.SCRATCH)  # made when the database is brought up
FILE_UPLOAD_PERMISSIONS = 0o600

SILENCED_SYSTEM_CHECKS = ["models.W042"]
LOGGING = logs.settings()
