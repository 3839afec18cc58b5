"""The wiring, all of it: settings and clock in, the application out that a server asks for responses."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any

from stamkund import log
from stamkund.clock import Clock, system_clock
from stamkund.delivery.mail.delivery import MailDelivery
from stamkund.delivery.mail.sender import MailSender
from stamkund.endpoints import declared_endpoints
from stamkund.endpoints.service.documentation import GROUP as DOCUMENTATION
from stamkund.identity.audit_budget import audit_budget_of
from stamkund.identity.audit_queue import AuditQueue
from stamkund.identity.failures import failures_of
from stamkund.identity.passwords import Passwords
from stamkund.problems import Problem
from stamkund.reference.documentation import documentation_of
from stamkund.server import proxies
from stamkund.server.jobs import (
    clean_up_forever,
    extend_sessions,
    finish_mail,
    refresh_decoys,
    share_counts,
    write_audit,
)
from stamkund.server.patience import ConnectionLimits
from stamkund.settings import Settings
from stamkund.store import Unavailable
from stamkund.store.open import Installation, WrongSchema, open_installation
from stamkund.vault import KeyFileError
from stamkund.wire.asgi import Receive, Scope, Send, serve_request
from stamkund.wire.dispatch import Dispatch
from stamkund.wire.endpoint import Endpoint
from stamkund.wire.limits import limits_of
from stamkund.wire.request import Request
from stamkund.wire.response import Response
from stamkund.wire.security_headers import headers_of_all_responses
from stamkund.wire.services import Services


class Application:
    """The application of one process: opens its store at startup, closes it when it stops.

    A server that speaks ASGI calls it; our own connections (`server/protocol.py`) use ASGI for the lifespan alone, and
    ask for each response directly.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock = system_clock,
        mail_sender: MailSender | None = None,
        more_endpoints: Iterable[Endpoint] = (),
    ) -> None:
        """`mail_sender`: instead of the mail server of the settings. `more_endpoints`: beside the declared calls."""
        self.settings = settings
        self.clock = clock
        self._mail_sender = mail_sender or _smtp_sender(settings)
        self._more_endpoints = tuple(more_endpoints)
        self._dispatch: Dispatch | None = None
        self.connection_limits = ConnectionLimits(
            settings.max_connections, settings.max_head_bytes, settings.head_seconds, settings.body_seconds
        )
        self.headers = headers_of_all_responses(settings)

    def respond(self, request: Request) -> Coroutine[Any, Any, Response | None]:
        """The response to a request; None where the caller went away before it was read."""
        assert self._dispatch is not None, "the server must run the lifespan protocol"
        return self._dispatch.respond(request)

    def refuse(self, request: Request, problem: Problem) -> Response:
        """The response to what could not be read as a request."""
        assert self._dispatch is not None, "the server must run the lifespan protocol"
        return self._dispatch.refuse(request, problem)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await serve_request(self.respond, scope, receive, send, self.headers)
        elif scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            installation = await open_installation(self.settings, self.clock)
        except (Unavailable, WrongSchema, KeyFileError, ValueError) as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        services = self._services(installation)
        self._dispatch = Dispatch([*_endpoints(self.settings), *self._more_endpoints], services)
        jobs = _start_jobs(services)
        mail = self._start_mail(services)
        _settle_garbage_collector()
        log.get().info("started", engine=installation.store.engine.name, process=os.getpid())
        log.flush()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if mail is not None:
            await finish_mail(*mail, self.settings.stop_seconds)
            jobs.append(mail[1])
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        with suppress(Unavailable):  # the log has what could not be written
            await services.audit_queue.write(installation.store)
        services.passwords.close()
        await installation.close()
        log.get().info("stopped")
        log.flush()
        await send({"type": "lifespan.shutdown.complete"})

    def _start_mail(self, services: Services) -> tuple[MailDelivery, asyncio.Task[None]] | None:
        """The delivery of mails and its job; None where no mail server is set, so that mails wait."""
        if self._mail_sender is None:
            return None
        delivery = MailDelivery(services.store, self.settings, self.clock, self._mail_sender)
        return delivery, asyncio.create_task(delivery.run())

    def _services(self, installation: Installation) -> Services:
        settings, vault, audit_queue = self.settings, installation.vault, AuditQueue()
        return Services(
            settings=settings,
            store=installation.store,
            vault=vault,
            passwords=Passwords(settings, settings.workers),
            clock=self.clock,
            limits=limits_of(settings, vault, audit_queue),
            failures=failures_of(settings, vault, audit_queue),
            audit_budget=audit_budget_of(settings, vault, audit_queue),
            audit_queue=audit_queue,
            documentation=documentation_of(declared_endpoints()),
            address_of=proxies.address_of(settings),
        )


def _smtp_sender(settings: Settings) -> MailSender | None:
    """The sender by the mail server of the settings, if there is one."""
    if not settings.smtp_host:
        return None
    from stamkund.delivery.mail.smtp import SmtpSender  # loads a library that nothing else needs

    return SmtpSender(settings)


def _endpoints(settings: Settings) -> list[Endpoint]:
    """The calls that this installation responds to."""
    return [e for e in declared_endpoints() if settings.documentation or e.about.group != DOCUMENTATION]


def _start_jobs(services: Services) -> list[asyncio.Task[None]]:
    jobs = (
        clean_up_forever(services),
        share_counts(services),
        write_audit(services),
        refresh_decoys(services),
        extend_sessions(services),
        log.flush_forever(),
    )
    return [asyncio.create_task(job) for job in jobs]


def _settle_garbage_collector() -> None:
    """What is loaded by now stays: keep the collector from walking over it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
