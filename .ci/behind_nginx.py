"""The trial of `.ci/nginx`: a small synthetic region, `karez serve` behind nginx with a certificate of its own, and
people who ask.

Holds no expectation about a page's looks. Who asks from which address is told by the loopback address they come from.
"""

import contextlib
import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

FOLDER = Path(sys.argv[1])
HOST = "karez.test"
OWN = "a-password-of-my-own-27"
PROOF = Path("karez/proofreader/data/ningxia-2009.csv").read_text(encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


INSIDE, OUTSIDE, PLAIN = _free_port(), _free_port(), _free_port()
ENVIRONMENT = {
    "KAREZ_VAR": str(FOLDER / "v"), "KAREZ_TLS": "1", "KAREZ_HOSTS": f" {HOST} , other.test", "KAREZ_TRUSTED_PROXIES": " 127.0.0.1 ",
    "DJANGO_SETTINGS_MODULE": "karez.settings",
}  # fmt: skip


def found() -> None:
    """A region with its people, two of whom sign in with a password."""
    from karez.cli.program import working

    with working(migrate=True):
        from conftest import build_world
        from karez.access.services import choose_password, end_founding

        world = build_world()
        for user in (world.clerk, world.other_clerk):
            choose_password(user, OWN)
        end_founding()


def configured() -> Path:
    """The project's example file with the trial's ports, name and certificate, in a whole configuration."""
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={HOST}",
            "-addext",
            f"subjectAltName=DNS:{HOST}",
            "-keyout",
            FOLDER / "key.pem",
            "-out",
            FOLDER / "certificate.pem",
        ],
        check=True,
        capture_output=True,
    )
    site = Path("deploy/nginx.conf").read_text()
    for old, new in (
        ("127.0.0.1:8000", f"127.0.0.1:{INSIDE}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{OUTSIDE} ssl"),
        ("listen 80", f"listen 127.0.0.1:{PLAIN}"),
        ("karez.example.org", HOST),
        ("/etc/ssl/karez", str(FOLDER)),
    ):
        assert old in site, old
        site = site.replace(old, new)
    (FOLDER / "site.conf").write_text(site)
    scratch = "".join(
        f"{name}_temp_path {FOLDER}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.getuid() == 0 else ""
    whole = FOLDER / "nginx.conf"
    whole.write_text(
        f"{user}pid {FOLDER}/nginx.pid;\nerror_log {FOLDER}/error.log;\ndaemon off;\nevents {{}}\nhttp "
        f"{{\n{scratch}include {FOLDER}/site.conf;\n}}\n"
    )
    return whole


@contextlib.contextmanager
def served() -> Iterator[None]:
    """Both servers, ended together."""
    with contextlib.ExitStack() as stack:
        nginx = next(
            p for p in ("/usr/sbin/nginx", "/usr/local/sbin/nginx", "nginx") if p == "nginx" or Path(p).exists()
        )
        karez = [sys.executable, "-m", "karez", "serve", "--port", str(INSIDE)]
        for words in (karez, [nginx, "-p", str(FOLDER), "-c", str(configured())]):
            stack.callback(_end, subprocess.Popen(words, env=os.environ | ENVIRONMENT))
        for _ in range(600):
            with contextlib.suppress(OSError, AssertionError):
                assert Visitor("127.0.0.9").ask("GET", "/healthy/")[0] == 200
                break
            time.sleep(0.1)
        else:
            raise SystemExit("nothing answered within a minute: " + (FOLDER / "error.log").read_text()[-2000:])
        yield


def _end(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(20)
    except subprocess.TimeoutExpired:
        child.kill()


class Visitor:
    """A browser at an address of its own: keeps cookies, sends Origin and Referer as browsers do over HTTPS."""

    def __init__(self, address: str, **headers: str) -> None:
        self.address, self.cookies, self.headers = address, {}, headers
        self.set_cookies: list[str] = []
        self.told: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> tuple[int, str]:
        """Status and page."""
        trust = ssl.create_default_context(cafile=str(FOLDER / "certificate.pem"))
        trust.check_hostname = False  # the name is in the Host header; the socket goes to the loopback
        line = http.client.HTTPSConnection(
            "127.0.0.1", OUTSIDE, source_address=(self.address, 0), context=trust, timeout=60
        )
        site = f"{HOST}:{OUTSIDE}"
        headers = {"Host": site, "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), **self.headers}
        if method == "POST":
            headers |= {"Origin": f"https://{site}", "Referer": f"https://{site}{path}", "Content-Type": kind}
        line.request(method, path, body, headers)
        answer = line.getresponse()
        page = answer.read().decode(errors="replace")
        self.told = {name.title(): value for name, value in answer.getheaders()}
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            self.set_cookies.append(cookie)
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        line.close()
        return answer.status, page

    def sign_in(self, name: str, password: str) -> bool:
        """Whether the door opened."""
        status, page = self.ask("GET", "/account/login/")
        assert status == 200, status
        words = {"login": name, "password": password, "csrfmiddlewaretoken": _token(page)}
        status, _page = self.ask(
            "POST", "/account/login/", urlencode(words).encode(), "application/x-www-form-urlencoded"
        )
        return status == 302 and self.ask("GET", "/places/")[0] == 200

    def send_unfinished(self, path: str, length: int) -> int:
        """The status told to a body of so many bytes of which only the first are sent."""
        trust = ssl.create_default_context(cafile=str(FOLDER / "certificate.pem"))
        trust.check_hostname = False
        with trust.wrap_socket(socket.create_connection(("127.0.0.1", OUTSIDE), 30, (self.address, 0))) as line:
            head = (
                f"POST {path} HTTP/1.1\r\nHost: {HOST}:{OUTSIDE}\r\nContent-Length: {length}\r\nContent-Type: "
                "text/plain\r\n\r\n"
            )
            line.sendall(head.encode() + b"x" * 65536)
            return int(line.recv(100).split()[1])

    def proof(self) -> int:
        """The status of a file given to the proofreader."""
        _status, page = self.ask("GET", "/proof/")
        edge = "----karez"
        parts = [f'--{edge}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{_token(page)}']
        parts.append(
            f'--{edge}\r\nContent-Disposition: form-data; name="figures"; filename="chapter.csv"\r\nContent-Type: '
            f"text/csv\r\n\r\n{PROOF}"
        )
        body = "\r\n".join([*parts, f"--{edge}--", ""])
        return self.ask("POST", "/proof/", body.encode(), f"multipart/form-data; boundary={edge}")[0]


def _token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


def tried() -> None:
    """Each thing once; an assertion tells what does not hold."""
    clerk = Visitor("127.0.0.2")
    assert clerk.sign_in(" Clerk ", OWN), "nobody can sign in behind TLS"
    assert clerk.told.get("Strict-Transport-Security", "").startswith("max-age=31536000"), clerk.told
    assert all("Secure" in cookie for cookie in clerk.set_cookies if "Max-Age=0" not in cookie), (
        clerk.set_cookies
    )  # a cookie taken back holds nothing
    status = Visitor("127.0.0.3").proof()
    assert status == 200, f"the proofreader takes no file behind TLS: {status}"
    for n in range(8):  # a name in whatever letters, claims of another address in each request
        name = ("clerk", "CLERK", " clerk", "\uff43lerk")[n % 4]
        forged = {
            "X-Forwarded-For": f"198.51.100.{n}",
            "X-Real-IP": f"198.51.100.{n}",
            "Forwarded": f"for=198.51.100.{n}",
        }
        assert not Visitor("127.0.0.4", **forged).sign_in(name, "not-the-password")
    assert not Visitor("127.0.0.4", **{"X-Forwarded-For": "198.51.100.99"}).sign_in("clerk", OWN), (
        "a forged address opens the lock"
    )
    assert Visitor("127.0.0.5").sign_in("clerk", OWN), "the person is locked out where nobody guessed"
    assert Visitor("127.0.0.4").sign_in("other_clerk", OWN), "the office is locked out by one name"
    stranger = Visitor("127.0.0.6")
    assert stranger.send_unfinished("/account/login/", 3 * 2**20) == 413, "a form of 3 MiB is begun"
    assert stranger.send_unfinished("/proof/", 7 * 2**20) == 413, "a chapter of 7 MiB is begun"
    assert stranger.send_unfinished("/files/send/", 300 * 2**20) == 403, (
        "a stranger's file is taken before it is refused"
    )
    assert not any((FOLDER / "client_body").rglob("*.*")) and not list((FOLDER / "client_body").rglob("0*")), (
        "nginx keeps a stranger's file"
    )
    direct = http.client.HTTPConnection("127.0.0.1", INSIDE, timeout=30)
    direct.request("GET", "/account/login/", headers={"Host": "nobody.test"})
    assert direct.getresponse().status == 400, "answers to a name that is not its own"
    plain = http.client.HTTPConnection("127.0.0.1", PLAIN, timeout=30)
    plain.request("GET", "/x/", headers={"Host": HOST})
    assert plain.getresponse().getheader("Location") == f"https://{HOST}/x/"


if __name__ == "__main__":
    os.environ.update(ENVIRONMENT)
    began = time.monotonic()
    found()
    with served():
        tried()
    print(f"behind nginx with TLS: all holds ({time.monotonic() - began:.0f} s)")
