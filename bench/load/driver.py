"""A whole run: connections made, the plan followed, the result checked."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import resource
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import uvloop

from bench.load.connections import Connection, PacedConnection, Pacer
from bench.load.loops import closed_loop, open_loop
from bench.load.meter import Meter
from bench.load.plan import LoadError, Plan, Result


async def _run(plan: Plan, requests: Sequence[bytes]) -> tuple[Result, Meter]:
    meter = Meter(requests)
    pacer = Pacer()
    links: list[Connection] = []

    def protocol() -> Connection:
        links.append(Connection(meter) if plan.pace is None else PacedConnection(meter, pacer))
        return links[-1]

    if plan.pace is not None:
        _go_first()
    if plan.awake:
        _stay_awake(asyncio.get_running_loop())
    try:
        for _ in range(plan.connections):
            await asyncio.get_running_loop().create_connection(protocol, plan.host, plan.port)
        if plan.pace is None:
            result = await closed_loop(meter, links, plan)
        else:
            paced = [link for link in links if isinstance(link, PacedConnection)]
            result = await open_loop(meter, paced, plan, plan.pace)
    finally:
        _hang_up(meter, links)
    return result, meter


def _stay_awake(loop: asyncio.AbstractEventLoop) -> None:
    """Keep the event loop from ever sleeping.

    On a virtual machine waking a sleeping core costs the one who wakes it, here the server under test, several
    microseconds for each response: a slow server, whose client sleeps, would pay for it and a fast one would not.
    """
    loop.call_soon(_stay_awake, loop)


def may_go_first() -> bool:
    """Whether this user may give a process real-time priority."""
    return os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_RTPRIO)[0] >= 1


def _go_first() -> None:
    """Let nothing keep this process waiting for a core, where that is allowed (to root).

    A latency counts from when its request was due. A client that is itself late, because passwords are hashed on all
    cores, would report its own lateness as the server's.
    """
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def _hang_up(meter: Meter, links: Sequence[Connection]) -> None:
    meter.sending = False
    for link in links:
        link.busy = False
        if link.transport is not None:
            link.transport.abort()


def run(plan: Plan, requests: Sequence[bytes]) -> Result:
    """Drive the server, in this very process, and return what was measured after the warm-up.

    A status outside 2xx raises LoadError, in the warm-up as well.
    """
    if not requests:
        raise ValueError("no requests to send")
    gc.collect()
    gc.disable()  # a collection pause in the client would be read as the server's latency
    try:
        result, meter = uvloop.run(_run(plan, requests))
    finally:
        gc.enable()
    result = replace(result, errors=dict(meter.errors))  # the drain may have added some
    if meter.failure or meter.errors:
        raise LoadError(meter.failure or f"unexpected statuses {dict(meter.errors)}", result)
    return result


def run_in_process(plan: Plan, requests: Sequence[bytes]) -> Result:
    """Do run() in a fresh interpreter, so that the caller's own work cannot disturb it."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(run, plan, list(requests)).result()
