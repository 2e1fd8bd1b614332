"""Django's settings. Everything is decided by the home folder and a few environment variables.

HUBSHELF_HUB_HOME    the hub's folder (see hub.home)
DATABASE_URL         another database than SQLite in the home, for example postgres://…
HUBSHELF_HUB_HOSTS   names under which the hub is reached, separated by commas; default: this computer only
HUBSHELF_HUB_HTTPS   "1" when people reach the hub over HTTPS: secure cookies, HSTS
HUBSHELF_HUB_PROXY   "1" when a proxy in front sets X-Forwarded-Proto and X-Forwarded-For
"""

from __future__ import annotations

import os
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from hub.home import database_path, hub_home, secret_key

HOME = hub_home()
HTTPS = os.environ.get("HUBSHELF_HUB_HTTPS", "") == "1"

DEBUG = False
SECRET_KEY = secret_key(HOME)
ALLOWED_HOSTS = [
    host.strip()
    for host in os.environ.get("HUBSHELF_HUB_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
    if host.strip()
]

_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
# A cookie that may travel in the clear is only acceptable where nothing leaves this computer.
SECURE_COOKIES = HTTPS or not set(ALLOWED_HOSTS) <= _LOOPBACK

INSTALLED_APPS = [
    "hub.apps.HubConfig",
    "hub.apps.HubAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "hub.urls"
WSGI_APPLICATION = "hub.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _database() -> dict[str, Any]:
    url = os.environ.get("DATABASE_URL", "")
    if url:
        try:
            parsed: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=600, conn_health_checks=True))
        except ValueError as error:
            # Never the address itself: it holds a password.
            raise ImproperlyConfigured("DATABASE_URL is no database address such as postgres://…") from error
        if parsed["ENGINE"] == "django.db.backends.sqlite3":
            parsed["ENGINE"] = "hub.sqlite"
        return parsed
    return {
        "ENGINE": "hub.sqlite",
        "NAME": database_path(HOME),
        # A connection costs more than a small request; whoever serves closes its threads' connections.
        "CONN_MAX_AGE": 600,
        # Tests use a real file: WAL and locks do not exist in memory.
        "TEST": {"NAME": HOME / "test.sqlite3"},
    }


DATABASES = {"default": _database()}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    }
]

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French")), ("ar", _("Arabic"))]

STATIC_URL = "static/"
STATIC_ROOT = None
# Served straight from the packages; no collecting step that an upgrade could forget.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

LOGIN_URL = "admin:login"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if HTTPS:
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if host not in {"*"}]
BEHIND_PROXY = os.environ.get("HUBSHELF_HUB_PROXY", "") == "1"
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
