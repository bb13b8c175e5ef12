"""How the site is reached, from the environment: its names, TLS, and the proxies whose word is taken. Holds no request.

One setting, `KAREZ_TRUSTED_PROXIES`, feeds Django, the lock-out, the limits and the logs.
"""

import os

from karez.kernel import addresses
from karez.kernel.refusal import Refusal

_YES, _NO = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


def names() -> str:
    """The names the site answers to, as set."""
    return os.environ.get("KAREZ_HOSTS", "").strip() or "localhost,127.0.0.1,[::1],testserver"


def behind_tls() -> bool:
    """Whether people come over HTTPS, which a proxy of ours ends; refuses a word that is neither yes nor no."""
    told = os.environ.get("KAREZ_TLS", "").strip().lower()
    if told not in _YES | _NO:
        raise _unclear("KAREZ_TLS", told, "1 or 0")
    return told in _YES


def proxies() -> tuple[addresses.Network, ...]:
    """The proxies whose word is taken; behind TLS and not set, those on this machine. Refuses an entry that is no
    address or network.
    """
    told = os.environ.get("KAREZ_TRUSTED_PROXIES", addresses.LOOPBACK if behind_tls() else "")
    try:
        return addresses.networks(told)
    except ValueError as fault:
        raise _unclear(
            "KAREZ_TRUSTED_PROXIES", str(fault), "addresses or networks, such as 127.0.0.1, 10.2.0.0/16"
        ) from fault


def _unclear(name: str, found: str, expected: str) -> Refusal:
    return Refusal(
        "host.setting",
        record=name,
        found=found,
        expected=expected,
        rule="a setting that cannot be read is told, not guessed",
        todo=f"correct {name} in the environment and start again",
    )
