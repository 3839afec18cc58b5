"""Whether the time of a refused login tells if the e-mail is a reader's: `python -m bench.login_times [TRIES] [cpu]`.

For an organisation of each kind of hash, and a mixed one: logins of the classes below are tried in random order, one at
a time, and compared with the readers' wrong passwords. AUC is the chance that a try of one class takes longer than one
of the other, 0.5 where the time tells nothing; within 0.42 and 0.58 is good. In a mixed organisation the times have
several humps, so their distributions are compared: the largest difference (Kolmogorov and Smirnov's) is at most 0.3.

Not part of `make bench`, which compares speeds: this takes minutes, and a machine that does nothing else. On one that
does, `cpu` compares the CPU time of the process instead, which is all the work of a login (hash, SQLite, HTTP). The
suite tests the causes, which hash is verified and how many statements are sent (`tests/identity/test_decoys.py`).
"""

from __future__ import annotations

import asyncio
import bisect
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import argon2
import bcrypt
import httpx
from passlib.context import CryptContext
from tests.support.hashes import BY_FORM
from tests.support.in_process import application_of, client_of
from tests.support.rows import executed, set_status
from tests.support.service import Publisher, RunningService

TRIES = 200
AUC = (0.42, 0.58)
KOLMOGOROV_SMIRNOV = 0.3
PASSWORD = "Df7Vdd8!!vnM"
FULL_COST = {"argon2_memory_kib": 19_456, "argon2_passes": 2, "failed_logins": 1_000_000}


def hashes() -> dict[str, list[str]]:
    """The hashes of an organisation's readers, by the name of the organisation."""
    ours = argon2.PasswordHasher(2, 19_456, 1).hash(PASSWORD)
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(12)).decode()
    django = str(CryptContext(schemes=["django_pbkdf2_sha256"]).hash(PASSWORD))
    ldap = BY_FORM["LDAP {SSHA}"].text
    return {
        "argon2id": [ours],
        "bcrypt": [old],
        "pbkdf2": [django],
        "ldap": [ldap],
        "mixed": [ours, old, old, django],
    }


Clock = Callable[[], float]


async def measured(folder: Path, name: str, kinds: list[str], tries: int, clock: Clock) -> dict[str, list[float]]:
    """Seconds of each try, by class."""
    service = RunningService(f"sqlite:///{folder / name}.db", folder / f"{name}.key", **FULL_COST)
    async with service:
        publisher = await service.publisher()
        for n in range(tries):
            fields = {"email": f"reader{n}@example.com", "social_security_number": None}
            await publisher.customer(f"c{n}", password_hash=kinds[n % len(kinds)], **fields)
        await _make_inactive(publisher, kinds, tries)
        classes = {
            "readers": [f"reader{n}@example.com" for n in range(tries)],
            "readers again": [f"reader{n}@example.com" for n in range(tries)],
            "unknown e-mails": [f"nobody{n}@example.com" for n in range(tries)],
            "inactive accounts": [f"inactive{n}@example.com" for n in range(tries)],
        }
        todo = [(label, email) for label, emails in classes.items() for email in emails]
        random.Random(1).shuffle(todo)
        times: dict[str, list[float]] = {label: [] for label in classes}
        async with (
            application_of(service.settings, service.clock) as application,
            client_of(application, service.url) as http,
        ):
            for number, (label, email) in enumerate([("", "warm@example.com")] * 3 + todo):
                seconds = await _try(http, publisher, email, clock)
                if number >= 3:
                    times[label].append(seconds)
    return times


async def _make_inactive(publisher: Publisher, kinds: list[str], count: int) -> None:
    """As many as there are readers: one that is tried again and again is found in caches, and would be quicker."""
    url = publisher.service.settings.database_url
    for n in range(count):
        kind, email = kinds[n % len(kinds)], f"inactive{n}@example.com"
        await publisher.customer(f"i{n}", email=email, password_hash=kind, social_security_number=None)
        await publisher.reader_token(email)
        change = f"UPDATE passwords SET hash = '{kind}' WHERE account = (SELECT max(account) FROM passwords)"
        await executed(url, change)
        await set_status(url, publisher.id, "inactive", email)


async def _try(http: httpx.AsyncClient, publisher: Publisher, email: str, clock: Clock) -> float:
    form = {"client_id": publisher.client.id, "client_secret": publisher.secret, "grant_type": "password"}
    form |= {"username": f"{publisher.id}^{email}", "password": "wrong"}
    started = clock()
    response = await http.post("/api/authorization/access_token", data=form)
    assert response.status_code == 400
    return clock() - started


def auc(one: list[float], other: list[float]) -> float:
    """The chance that a value of `one` is larger than one of `other`."""
    ordered = sorted(other)
    smaller = sum(bisect.bisect_left(ordered, v) + bisect.bisect_right(ordered, v) for v in one) / 2
    return smaller / len(one) / len(other)


def kolmogorov_smirnov(one: list[float], other: list[float]) -> float:
    """The largest difference of the two distributions."""
    first, second = sorted(one), sorted(other)
    return max(
        abs(bisect.bisect_right(first, v) / len(first) - bisect.bisect_right(second, v) / len(second))
        for v in first + second
    )


def main() -> None:
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else TRIES
    clock = time.process_time if "cpu" in sys.argv else time.perf_counter
    good = True
    for name, kinds in hashes().items():
        with tempfile.TemporaryDirectory() as folder:
            times = asyncio.run(measured(Path(folder), name, kinds, tries, clock))
        readers = times.pop("readers")
        for label, values in times.items():
            area, difference = auc(values, readers), kolmogorov_smirnov(values, readers)
            mixed = len(kinds) > 1
            within = difference <= KOLMOGOROV_SMIRNOV if mixed else AUC[0] <= area <= AUC[1]
            good &= within
            median = sorted(values)[len(values) // 2] * 1000
            print(
                f"{name:9} {label:18} median {median:6.1f} ms  AUC {area:.3f}  KS {difference:.3f}  "
                f"{'good' if within else 'TELLS'}",
                flush=True,
            )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
