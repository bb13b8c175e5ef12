"""Which database is used, by which role, and making it ready. Holds no tables of its own.

Without `DATABASE_URL` the embedded server in the data folder is used. With it, that URL is an administrator of a real
PostgreSQL >= 15 who may create roles; Karez makes two, `karez_owner` (migrates, owns) and `karez_app` (runs, owns
nothing), and keeps their passwords in the data folder. The roles are the server's, so one server serves one
installation, unless a second one is given the first one's passwords.
"""

import hashlib
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

from karez.kernel.refusal import Refusal
from karez.system import clock, paths, postgres, sessions

OWNER: str = "karez_owner"
APP: str = "karez_app"
EXTENSIONS = ("btree_gist", "ltree", "pg_trgm")
OLDEST = 15
_KEPT_ALIVE = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}  # a server that is gone is noticed, over a network


def url() -> str:
    return os.environ.get("DATABASE_URL", "").strip()


def given() -> dict[str, Any]:
    """The parts of DATABASE_URL; refuses one that is none."""
    try:
        return conninfo_to_dict(url())
    except psycopg.ProgrammingError as error:
        raise Refusal(
            "host.database_address",
            record="DATABASE_URL",
            found=str(error).strip().replace(url(), "..."),
            expected="postgresql://USER:PASSWORD@HOST:5432/DATABASE",
            rule="the address of a database server has this form",
            todo="correct it; signs such as @ : / in a password are written as %40 %3A %2F",
        ) from None


def name() -> str:
    """The database's name: KAREZ_DATABASE, or the URL's, or `karez`."""
    return os.environ.get("KAREZ_DATABASE") or (str(given().get("dbname") or "") if url() else "") or "karez"


def settings(role: str) -> dict[str, Any]:
    """Django's DATABASES entry for one of the two roles."""
    common: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name(),
        "USER": role,
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 60,
        "TIME_ZONE": clock.zone(),  # current_date is the office's day, as date.today() is
        "OPTIONS": {"application_name": role, "options": sessions.options()},
        "TEST": {"NAME": name()},
    }
    if not url():
        return common | {"HOST": str(paths.CLUSTER)}
    address = given()
    extra = {k: v for k, v in address.items() if k.startswith("ssl")} | _KEPT_ALIVE
    return common | {
        "HOST": address.get("host", ""),
        "PORT": str(address.get("port", "")),
        "PASSWORD": _passwords().get(role, ""),
        "OPTIONS": common["OPTIONS"] | extra,
    }


def conninfo(role: str, dbname: str | None = None) -> str:
    """A libpq connection string for one of the two roles (for psycopg, ADBC and the programs of PostgreSQL)."""
    entry = settings(role)
    words = {"host": entry["HOST"], "port": entry.get("PORT"), "user": role, "password": entry.get("PASSWORD")}
    words["options"] = sessions.options()
    words |= {k: v for k, v in entry["OPTIONS"].items() if k.startswith(("ssl", "keepalives"))}
    return psycopg.conninfo.make_conninfo(dbname=dbname or name(), **{k: v for k, v in words.items() if v})


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
    encoding = sql.SQL(
        " ENCODING 'UTF8'" if template == "template0" else ""
    )  # whatever the server's own databases have
    admin.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}{}").format(
            sql.Identifier(dbname), sql.Identifier(OWNER), sql.Identifier(template), encoding
        )
    )


@contextmanager
def scratch(purpose: str) -> Iterator[str]:
    """The name of a database for a moment, this installation's own for that purpose; removed afterwards, and before
    where a kill left it.

    Held alone: whoever comes meanwhile waits.
    """
    mark = hashlib.sha256(f"{paths.VAR} {name()}".encode()).hexdigest()[:10]
    made = f"karez_{purpose}_{mark}"
    with administrator() as admin:
        admin.execute("SELECT pg_advisory_lock(hashtext(%s))", [made])
        drop_database(admin, made)
        try:
            yield made
        finally:
            drop_database(admin, made)


def drop_database(admin: psycopg.Connection[Any], dbname: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(dbname)))


@contextmanager
def administrator(dbname: str | None = None) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the server's administrator, in autocommit. Used to make roles and databases, never to serve.

    Without a name: to the server's own database, since the one DATABASE_URL names may not be made yet.
    Refuses, in words, a server that cannot be reached or does not let the administrator in.
    """
    try:
        connection = psycopg.connect(administrator_target(dbname or "postgres"), autocommit=True)
    except psycopg.OperationalError as error:
        raise unreachable(error) from error
    with connection:
        yield connection


def administrator_target(dbname: str) -> str:
    """The administrator's connection string to a database of the server."""
    if url():
        return psycopg.conninfo.make_conninfo(**{"client_encoding": "UTF8"} | given() | {"dbname": dbname})
    return psycopg.conninfo.make_conninfo(host=str(paths.CLUSTER), user="postgres", dbname=dbname)


# What a failed connection says, by the words of libpq and of the server; a server of another language gets the general
# answer.
_UNREACHABLE = (
    ("password authentication failed", "the user and password of DATABASE_URL", "correct the password in DATABASE_URL"),
    (
        "no password supplied",
        "a password",
        "write the password into DATABASE_URL: postgresql://USER:PASSWORD@HOST/DATABASE",
    ),
    (
        "too many clients",
        "a free connection",
        "end programs that hold connections, or raise max_connections on the server",
    ),
    (
        "remaining connection slots",
        "a free connection",
        "end programs that hold connections, or raise max_connections on the server",
    ),
    ("translate host name", "the name of a machine", "correct the host in DATABASE_URL"),
    ("starting up", "a server that is ready", "wait until the database server has started, then try again"),
    ("shutting down", "a server that is ready", "start the database server again"),
    ("does not exist", "an administrator of the server", "correct the user in DATABASE_URL"),
    (
        "no pg_hba.conf entry",
        "a server that lets this machine in",
        "add this machine and user to the server's pg_hba.conf",
    ),
)


def unreachable(error: BaseException) -> Refusal:
    """The refusal of a connection that could not be made: one answer, with nothing of a password in it."""
    said = str(error).strip()
    wanted, todo = next(
        ((wanted, todo) for words, wanted, todo in _UNREACHABLE if words in said),
        (
            "a server that answers",
            "start the database server, or correct DATABASE_URL"
            if url()
            else "look into pg/server.log in the data folder",
        ),
    )
    if url() and (password := given().get("password")):
        said = said.replace(str(password), "...")
    return Refusal(
        "host.database_unreachable",
        record=_server_told(),
        found=said.splitlines()[-1][:300] if said else "no connection",
        expected=wanted,
        rule="records are kept in PostgreSQL",
        todo=todo,
    )


def _server_told() -> str:
    if not url():
        return str(paths.CLUSTER)
    address = given()
    return f"{address.get('host', 'localhost')}:{address.get('port', 5432)}, user {address.get('user', '')}"


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
        if url() and not _lets_in(role):
            _refuse_anothers(admin, role)
            password = sql.Literal(_passwords()[role])
            admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), password))
    for key, value in sessions.of_role().items():
        admin.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(sql.Identifier(APP), sql.Identifier(key), sql.Literal(value))
        )
    if url():
        # Not a superuser: to hand a database to the owner role, the administrator must be a member of it.
        admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
    admin.execute("SELECT pg_advisory_unlock(hashtext('karez roles'))")


def _lets_in(role: str) -> bool:
    """Whether the server lets the role in with the password kept here. It is asked of a database that is always there."""
    try:
        psycopg.connect(conninfo(role, "postgres")).close()
    except psycopg.OperationalError as error:
        if "password" in str(error):
            return False
        return "permission denied for database" in str(error)  # it was let in as far as the password goes
    return True


def _refuse_anothers(admin: psycopg.Connection[Any], role: str) -> None:
    """Refuses to give a role another password while another database of the server is an installation that uses it."""
    rows = admin.execute(
        (
            "SELECT d.datname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE r.rolname = %s AND "
            "d.datname <> %s ORDER BY 1"
        ),
        [OWNER, name()],
    ).fetchall()
    if rows:
        raise Refusal(
            "host.roles_taken",
            record=f"role {role}",
            found=f"it belongs to the installation in the database {rows[0][0]}",
            expected="a server without another installation, or that installation's passwords",
            rule="roles are the server's: another password would stop the installation that uses them",
            todo="use another server, or set KAREZ_DATABASE_PASSWORDS to the other installation's keys/database.json",
        )


def password_file() -> Path:
    """Where the two roles' passwords are kept."""
    return Path(os.environ.get("KAREZ_DATABASE_PASSWORDS", paths.KEYS / "database.json"))


def _passwords() -> dict[str, str]:
    """The two roles' passwords, made on first use: Django reads its settings before the roles are made."""
    path = password_file()
    if not path.exists():
        paths.require_place()
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
