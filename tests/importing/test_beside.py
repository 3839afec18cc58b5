"""A large file is read by a process beside the import: the same rows, reports and progress as without one."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from stamkund.importing import CannotRun, Missing, Report, Summary, beside, import_customers, run
from stamkund.importing.messages import LENGTH_BYTES, End, decode
from stamkund.importing.steps import File
from stamkund.rules.customer import Customer
from stamkund.vault import KeyFileError, Vault
from tests.importing.conftest import NOW, Publisher
from tests.support.waiting import until

PHPASS = "$P$B12345678abcdefghijklmnopqrstuv"
BATCH = 50


def parsers() -> list[psutil.Process]:
    """The processes that read files for this one."""
    return [child for child in psutil.Process().children() if "stamkund.importing.parser_process" in _command(child)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is large, every machine has two cores, and little is read ahead."""
    monkeypatch.setattr(beside, "LARGE_BYTES", 0)
    monkeypatch.setattr(beside, "BUFFER_BYTES", 1 << 12)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(run, "BATCH", BATCH)
    monkeypatch.setattr(run, "LARGE_BATCH", BATCH)


@dataclass
class Outcome:
    """What an import of some files printed and left behind."""

    summary: Summary
    bad: list[Report]
    progress: list[tuple[int, int]]
    customers: list[Any]
    beside: bool


@dataclass
class Import:
    """Imports of one organisation, in one of the two ways."""

    publisher: Publisher
    large_bytes: int
    monkeypatch: pytest.MonkeyPatch

    async def __call__(self, path: Path, second: Path | None, numbers: list[str], **options: Any) -> Outcome:
        bad: list[Report] = []
        progress: list[tuple[int, int]] = []
        started: list[subprocess.Popen[bytes]] = []
        start = beside._started

        def watched(*arguments: Any) -> subprocess.Popen[bytes]:
            started.append(start(*arguments))
            return started[-1]

        def show(done: int, rows: int) -> None:
            progress.append((done, rows))

        with self.monkeypatch.context() as patch:
            patch.setattr(beside, "LARGE_BYTES", self.large_bytes)
            patch.setattr(beside, "_started", watched)
            summary = await self._imported(path, second, bad, show, options)
        customers = [without_ids(await self.publisher.customer(number)) for number in numbers]
        return Outcome(summary, bad, progress, customers, bool(started))

    async def _imported(
        self,
        path: Path,
        second: Path | None,
        bad: list[Report],
        show: Callable[[int, int], None],
        options: dict[str, Any],
    ) -> Summary:
        return await import_customers(
            self.publisher.store,
            self.publisher.organisation,
            path,
            second,
            report=bad.append,
            progress=show,
            **{"now": NOW, "dry_run": False, **options},
        )


def without_ids(customer: Customer | None) -> Any:
    if customer is None:
        return None
    number = customer.social_security_number
    plain = msgspec.to_builtins(msgspec.structs.replace(customer, social_security_number=None))
    for one in (plain, *plain["subscriptions"]):
        del one["id"]
    return plain, number and number.stored()


Both = Callable[..., Any]


@pytest.fixture
def both(publisher: Publisher, monkeypatch: pytest.MonkeyPatch, small_steps: None) -> Both:
    """Imports the same in this process and beside it, each for an organisation of its own, and compares."""
    twin = msgspec.structs.replace(publisher.organisation, id=f"{publisher.organisation.id}-twin")
    here = Import(publisher, 1 << 62, monkeypatch)
    there = Import(Publisher(publisher.store, publisher.vault, publisher.folder, twin), 0, monkeypatch)

    async def compare(path: Path, second: Path | None, numbers: list[str], **options: Any) -> Outcome:
        first, other = await here(path, second, numbers, **options), await there(path, second, numbers, **options)
        assert (first.beside, other.beside) == (False, True)
        assert (first.summary, first.bad, first.progress) == (other.summary, other.bad, other.progress)
        assert first.customers == other.customers
        return other

    return compare


def many(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "customer_number": str(n),
            "first_name": f"Åsa {n}",
            "birth_date": "1880-06-10",
            "address": {"street": "Storgatan", "city": "Östersund"},
            "identity_mapping": {"crm": str(n), "shop": f"x {n}"},
            "subscriptions": [{"package_code": "total", "subscription_number": f"S{n}"}, {"package_code": "weekend"}],
            **more,
        }
        for n in range(count)
    ]


NUMBERS = [str(n) for n in range(0, 320, 7)]


@pytest.mark.both_engines
async def test_rows_reports_and_progress_are_the_same(publisher: Publisher, both: Both) -> None:
    """New customers, changed ones, each way in which a row may give a part of a value, and each kind of bad row."""
    rows = many(320)
    rows[7] |= {"social_security_number": "800610-8230", "password_hash": PHPASS, "email": "ove@example.com"}
    rows[60]["social_security_number"] = "wrong"
    rows[61]["email"] = "wrong"
    rows[62]["zip_code"] = 43921
    rows[90]["social_security_number"] = "800610-8230"  # row 7 has it, in an earlier batch
    rows[120]["customer_number"] = "119"
    rows[319]["subscriptions"] = [{"package_code": "total", "valid_to": "soon"}]  # in the last batch
    lines = publisher.file("first.jsonl", rows).read_bytes().split(b"\n")
    lines[200:200] = [b"{", b"\xff", b'{"customer_number": []}', b""]
    outcome = await both(publisher.file("first.jsonl", b"\n".join(lines)), None, NUMBERS)
    assert outcome.summary == Summary(created=317, rejected=6, remarks=2, weak_hashes={"phpass": 1})
    lines_of_reports = [(type(one).__name__, one.line) for one in outcome.bad if not isinstance(one, Missing)]
    assert lines_of_reports == [
        ("BadRow", 61),
        ("Remark", 62),
        ("Remark", 121),  # another first name than line 120, in a row of the same customer
        ("BadRow", 201),
        ("BadRow", 202),
        ("BadRow", 203),
        ("BadRow", 324),
        ("BadRow", 91),  # only when the whole file is read is it known that row 7 keeps the number
    ]

    changed = many(330)
    for n in range(0, 330, 7):
        changed[n] = {
            "customer_number": str(n),
            "last_name": None if n % 2 else "Ny",
            "address": None if n % 3 == 0 else {"street": None, "floor": "4"},
            "identity_mapping": {"shop": f"x {n}", "new": str(n)},
            "subscriptions": [{"package_code": "sport"}, {"package_code": "digital", "subscription_number": f"S{n}"}],
        }
    changed[7]["social_security_number"] = "8006108230"  # ten digits: the stored century stays
    changed[14]["social_security_number"] = "620817-9256"
    outcome = await both(publisher.file("second.jsonl", changed), None, NUMBERS, now=NOW + 9)
    assert outcome.summary == Summary(created=13, updated=47, unchanged=270)
    assert (await both(publisher.file("second.jsonl", changed), None, NUMBERS)).summary == Summary(unchanged=330)

    columns = "customer_number,identity_mapping.crm,identity_mapping.app,address.city\n"
    csv = columns + "".join(f"{n},{'' if n % 2 else n},{n},Åre\n" for n in range(0, 330, 7)) + "400,,,\n401\n"
    outcome = await both(publisher.file("third.csv", csv), None, NUMBERS, now=NOW + 19)
    assert (outcome.summary.created, outcome.summary.rejected) == (1, 1)


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.both_engines
async def test_a_second_file_is_the_same(publisher: Publisher, both: Both, *, dry_run: bool) -> None:
    csv = "customer_number,social_security_number\n" + "".join(
        f"{n},{'wrong' if n == 33 else ''}\n" for n in range(320)
    )
    lines = [f"{(n * 7) % 330},package{n % 4},{'soon' if n == 50 else ''}\n" for n in range(640)]
    second = "customer_number,package_code,valid_to\n" + "".join(lines)
    for content in (second, f"{second}\xa0,x,\n", second):
        files = publisher.file("rows.csv", csv), publisher.file("subscriptions.csv", content)
        outcome = await both(*files, NUMBERS, dry_run=dry_run)
        assert outcome.summary.rejected == 21 + ("\xa0" in content)  # row 33, line 50, and 19 lines of nobody


@pytest.mark.both_engines
async def test_a_dry_run_finds_the_same_conflicts(publisher: Publisher, both: Both) -> None:
    rows = many(120)
    rows[110]["identity_mapping"] = {"crm": "3"}
    path = publisher.file("rows.jsonl", rows)
    for dry_run, done in ((True, Summary(created=119, rejected=1)), (False, Summary(created=119, rejected=1))):
        assert (await both(path, None, NUMBERS, dry_run=dry_run)).summary == done
    rows[5]["identity_mapping"] = {"crm": "6"}
    outcome = await both(publisher.file("rows.jsonl", rows), None, NUMBERS, dry_run=True)
    assert outcome.summary == Summary(unchanged=118, rejected=2)


@pytest.mark.parametrize(
    ("customers", "second", "sentence"),
    [
        ("number\n1\n", None, "has no column customer_number"),
        ("", None, "is empty"),
        ("customer_number\n1\n", "customer_number\n1\n", "has no column package_code"),
    ],
)
async def test_files_that_can_not_be_read(
    publisher: Publisher, small_steps: None, customers: str, second: str | None, sentence: str
) -> None:
    with pytest.raises(CannotRun, match=sentence):
        await publisher.csv(customers, second)
    assert parsers() == []


def test_small_files_and_pipes_are_read_here(tmp_path: Path) -> None:
    small, pipe = tmp_path / "small.csv", tmp_path / "pipe"
    small.write_text("customer_number\n1\n")
    os.mkfifo(pipe)
    large = tmp_path / "large.csv"
    with large.open("wb") as content:
        content.truncate(beside.LARGE_BYTES)
    file = {path: File(str(path), str(path)) for path in (small, pipe, large)}
    assert not beside.are_large([file[small]])
    assert beside.are_large([file[small], file[large]])
    with large.open("wb") as content:
        content.truncate(beside.LARGE_BYTES // 2)
    assert beside.are_large([file[large], file[large]]) and not beside.are_large([file[large], file[small]])
    assert not beside.are_large([file[large], file[pipe]])
    assert not beside.are_large([File("/dev/null", "/dev/null"), file[large]])
    assert not beside.are_large([File("none", str(tmp_path / "none"))])


async def test_a_name_that_is_not_unicode_is_read_here(publisher: Publisher, small_steps: None, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"kund\xe9r.csv")
    path.write_text("customer_number\n1\n\n;\n")
    assert not beside.are_large([File(str(path), str(path))])
    summary, _ = await publisher.read(path)
    assert summary.created == 1


def test_a_file_in_a_closed_folder_is_read_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As `sudo -u stamkund stamkund import customers /dev/stdin < closed/file.csv` has it."""

    def closed(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", closed)
    assert not beside.are_large([File("/dev/stdin", str(tmp_path / "file.csv"))])


async def test_standard_input_is_the_files_own(publisher: Publisher, small_steps: None) -> None:
    """`/dev/stdin` names another file in the process that reads."""
    with publisher.file("rows.csv", "customer_number\n1\n2\n").open("rb") as content:
        summary, bad = await publisher.read(Path(f"/dev/fd/{content.fileno()}"))
    assert (summary, bad) == (Summary(created=2), [])


async def test_on_one_core_no_process_is_started(
    publisher: Publisher, small_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    monkeypatch.setattr(beside, "_COMMAND", ("no such program",))
    assert (await publisher.rows(*many(3)))[0].created == 3


async def test_a_process_that_can_not_be_started(
    publisher: Publisher, small_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "_COMMAND", ("no such program",))
    with pytest.raises(CannotRun, match="cannot be started: No such file or directory"):
        await publisher.rows(*many(3))


async def test_rows_of_many_bytes_make_small_batches(publisher: Publisher, small_steps: None) -> None:
    """However few rows they are, no more than 8 MiB and a line are read for a batch."""
    names = {"first_name": "x" * 1000}
    wide = [{"package_code": "p", "provision_service": "x" * 1000, "subscription_number": str(n)} for n in range(800)]
    rows = [{"customer_number": str(n), **names, "subscriptions": wide} for n in range(40)]
    summary, _ = await publisher.rows(*rows)
    assert summary.created == 40
    read = [done for done, _ in publisher.progress]
    assert len(read) > 4
    assert max(after - before for before, after in zip([0, *read], read, strict=False)) <= (8 << 20) + (1 << 18)


class Striking:
    """Does something to the parser when the second batch is stored."""

    def __init__(self, strike: Callable[[psutil.Process], None]) -> None:
        self.strike = strike
        self.batches = 0

    def __call__(self, _: int, rows: int) -> None:
        self.batches += 1
        if self.batches == 2:
            (parser,) = parsers()
            self.strike(parser)


async def read(publisher: Publisher, path: Path, strike: Callable[[psutil.Process], None]) -> Summary:
    return await import_customers(
        publisher.store,
        publisher.organisation,
        path,
        None,
        now=NOW,
        dry_run=False,
        report=print,
        progress=Striking(strike),
    )


@pytest.mark.both_engines
async def test_a_parser_that_is_killed_ends_the_import(publisher: Publisher, small_steps: None) -> None:
    path = publisher.file("rows.jsonl", many(5000))
    with pytest.raises(CannotRun, match=r"ended by itself \(SIGKILL\)\. What was imported so far stays"):
        await read(publisher, path, psutil.Process.kill)
    with pytest.raises(CannotRun, match=rf"ended by itself \(signal {signal.SIGRTMIN + 1}\)"):
        await read(publisher, path, lambda parser: parser.send_signal(signal.SIGRTMIN + 1))
    assert parsers() == []
    assert await publisher.customer(str(BATCH)) is not None and await publisher.customer("4999") is None
    summary, _ = await publisher.read(path)
    assert summary.created + summary.unchanged == 5000 and summary.unchanged >= 2 * BATCH


async def test_ctrl_c_does_nothing_to_the_parser(publisher: Publisher, small_steps: None) -> None:
    path = publisher.file("rows.jsonl", many(1000))
    summary = await read(publisher, path, lambda parser: parser.send_signal(signal.SIGINT))
    assert summary == Summary(created=1000)


async def test_an_import_that_is_cancelled_ends_its_parser(publisher: Publisher, small_steps: None) -> None:
    class Cancelled(Exception):
        pass

    def cancel(parser: psutil.Process) -> None:
        parser.suspend()  # so that it can't notice by itself
        raise Cancelled

    with pytest.raises(Cancelled):
        await read(publisher, publisher.file("rows.jsonl", many(5000)), cancel)
    assert parsers() == []


async def test_a_key_file_that_is_gone_is_named(publisher: Publisher, small_steps: None, tmp_path: Path) -> None:
    lost = Vault.create(tmp_path / "lost.key", NOW)
    lost.path.unlink()
    store = type(publisher.store)(publisher.store.engine, lost)
    with pytest.raises(CannotRun, match=r"lost\.key cannot be read"):
        await Publisher(store, lost, publisher.folder, publisher.organisation).rows(*many(3))
    with pytest.raises(KeyFileError):
        Vault(lost.path)


async def test_the_key_file_is_in_no_command_line(publisher: Publisher, small_steps: None) -> None:
    seen: list[str] = []
    await read(publisher, publisher.file("rows.jsonl", many(500)), lambda parser: seen.extend(_command(parser)))
    assert seen and not [word for word in seen if "key" in word or str(publisher.folder) in word]


async def test_a_full_disk_under_the_spool(publisher: Publisher, small_steps: None) -> None:
    """The temporary database of a second file has no room: the sentence says so, nothing is imported."""
    count = 400_000  # more than the temporary database keeps in memory
    lines = "customer_number,package_code\n" + "".join(f"{n},package\n" for n in range(count))
    second = publisher.file("subscriptions.csv", lines)
    full = False

    def fill(_: int, rows: int) -> None:
        nonlocal full
        if not full:
            (parser,) = parsers()
            resource.prlimit(parser.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            full = True

    with pytest.raises(CannotRun, match="There is no room for the temporary database of the import"):
        await import_customers(
            publisher.store,
            publisher.organisation,
            publisher.file("rows.csv", "customer_number\n1\n"),
            second,
            now=NOW,
            dry_run=False,
            report=print,
            progress=fill,
        )
    assert full and await publisher.customer("1") is None
    await until(lambda: parsers() == [])


@pytest.mark.parametrize("job", [b"", b"\x92", b"no job"])
def test_a_parser_that_gets_no_job_says_so_and_prints_nothing(job: bytes) -> None:
    """The import was killed while it sent one; what an error says could quote a row."""
    done = subprocess.run(beside._COMMAND, input=job, capture_output=True, check=True)
    end = decode(done.stdout[LENGTH_BYTES:])
    assert isinstance(end, End) and "The process that reads the files failed" in str(end.cannot_run)
    assert done.stderr == b""
