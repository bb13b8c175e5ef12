"""Which database is used, by which role, and making it ready. Holds no tables of its own.

Without `DATABASE_URL` the embedded server in the data folder is used. With it, that URL is an administrator of a real
PostgreSQL >= 15 who may create roles; Karez makes two, `karez_owner` (migrates, owns) and `karez_app` (runs, owns nothing),
and keeps their passwords in the data folder.
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from karez.host import clock, paths, postgres
from karez.kernel.refusal import Refusal

OWNER, APP = "karez_owner", "karez_app"
EXTENSIONS = ("btree_gist", "ltree", "pg_trgm")
OLDEST = 15


def url() -> str:
    return os.environ.get("DATABASE_URL", "")


def name() -> str:
    """The database's name: KAREZ_DATABASE, or the URL's, or `karez`."""
    given = str(conninfo_to_dict(url()).get("dbname") or "") if url() else ""
    return os.environ.get("KAREZ_DATABASE") or given or "karez"


def settings(role: str) -> dict[str, Any]:
    """Django's DATABASES entry for one of the two roles."""
    common: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name(),
        "USER": role,
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 60,
        "TIME_ZONE": clock.zone(),  # current_date is the office's day, as date.today() is
        "OPTIONS": {"application_name": role, "options": _session()},
        "TEST": {"NAME": name()},
    }
    if not url():
        return common | {"HOST": str(paths.CLUSTER)}
    given = conninfo_to_dict(url())
    extra = {k: v for k, v in given.items() if k.startswith("ssl")}
    return common | {
        "HOST": given.get("host", ""),
        "PORT": str(given.get("port", "")),
        "PASSWORD": _passwords().get(role, ""),
        "OPTIONS": common["OPTIONS"] | extra,
    }


def conninfo(role: str, dbname: str | None = None) -> str:
    """A libpq connection string for one of the two roles (for psycopg, ADBC and the programs of PostgreSQL)."""
    entry = settings(role)
    words = {"host": entry["HOST"], "port": entry.get("PORT"), "user": role, "password": entry.get("PASSWORD")}
    words["options"] = _session()
    return psycopg.conninfo.make_conninfo(dbname=dbname or name(), **{k: v for k, v in words.items() if v})


def _session() -> str:
    """What every session of ours is told, whichever server it is on."""
    return f"-c TimeZone={clock.zone()}"


def cluster() -> postgres.Cluster:
    return postgres.Cluster(paths.CLUSTER, durable=os.environ.get("KAREZ_DURABLE", "1") == "1")


def prepare() -> None:
    """Starts the embedded server where it is used, and makes roles, database and extensions. Safe to call again."""
    if not url():
        postgres.start(cluster())
    with administrator() as admin:
        _check_version(admin)
        _make_roles(admin)
        make_database(admin, name())
    with administrator(name()) as admin:
        for extension in EXTENSIONS:
            admin.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
        admin.execute(sql.SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC"))
        admin.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(sql.Identifier(OWNER)))
        admin.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.Identifier(APP)))


def make_database(admin: psycopg.Connection[Any], dbname: str, template: str = "template0") -> None:
    """Makes the database for the owner role if it is not there."""
    if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [dbname]).fetchone():
        return
    admin.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
            sql.Identifier(dbname), sql.Identifier(OWNER), sql.Identifier(template)
        )
    )


def drop_database(admin: psycopg.Connection[Any], dbname: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(dbname)))


@contextmanager
def administrator(dbname: str | None = None) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the server's administrator, in autocommit. Used to make roles and databases, never to serve."""
    if url():
        target = psycopg.conninfo.make_conninfo(url(), **({"dbname": dbname} if dbname else {}))
    else:
        target = psycopg.conninfo.make_conninfo(host=str(paths.CLUSTER), user="postgres", dbname=dbname or "postgres")
    with psycopg.connect(target, autocommit=True) as connection:
        yield connection


def _check_version(admin: psycopg.Connection[Any]) -> None:
    major = admin.info.server_version // 10000
    if major < OLDEST:
        raise Refusal(
            "host.server_too_old",
            record="DATABASE_URL",
            found=f"PostgreSQL {major}",
            expected=f"PostgreSQL {OLDEST} or newer",
            rule="Karez uses features of PostgreSQL 15",
            todo="upgrade the server, or leave DATABASE_URL unset to use the embedded one",
        )


def _make_roles(admin: psycopg.Connection[Any]) -> None:
    # One at a time: two installations on one server would both find a role missing, or alter it at once.
    admin.execute("SELECT pg_advisory_lock(hashtext('karez roles'))")
    for role in (OWNER, APP):
        if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if url():
            password = sql.Literal(_passwords()[role])
            admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), password))
    if url():
        # Not a superuser: to hand a database to the owner role, the administrator must be a member of it.
        admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
    admin.execute("SELECT pg_advisory_unlock(hashtext('karez roles'))")


def _password_file() -> Path:
    return Path(os.environ.get("KAREZ_DATABASE_PASSWORDS", paths.KEYS / "database.json"))


def _passwords() -> dict[str, str]:
    """The two roles' passwords, made on first use: Django reads its settings before the roles are made."""
    path = _password_file()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({role: secrets.token_urlsafe(24) for role in (OWNER, APP)}, file)
        try:
            os.link(draft, path)  # the first of two starters wins; both then read the same passwords
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    kept: dict[str, str] = json.loads(path.read_text())
    return kept
