"""How pages look, in the store."""

from __future__ import annotations

import asyncio

import msgspec

from stamkund.rules.branding import PLAIN, Branding, logo_of
from tests.support.service import Publisher, RunningService

LOGO = logo_of(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))


async def test_an_organisation_is_plain_until_somebody_changes_it(
    service: RunningService, publisher: Publisher
) -> None:
    other = await service.publisher()
    assert await service.store.branding.of_organisation(publisher.id) == PLAIN
    made = Branding(LOGO, "#111111", "#eeeeee")
    assert await service.store.branding.change(publisher.id, lambda _: made) == made
    assert await service.store.branding.of_organisation(publisher.id) == made
    assert (
        await service.store.branding.of_organisation(other.id)
        == PLAIN
        == await service.store.branding.of_organisation("nobody")
    )


async def test_simultaneous_changes_are_all_stored(service: RunningService, publisher: Publisher) -> None:
    """Also the first ones, when there is nothing yet that could be locked."""
    changes: list[dict[str, object]] = [{"logo": LOGO}, {"colour": "#222222"}, {"background": "#dddddd"}]

    async def change(fields: dict[str, object]) -> None:
        await service.store.branding.change(publisher.id, lambda branding: msgspec.structs.replace(branding, **fields))

    await asyncio.gather(*map(change, changes * 5))
    assert await service.store.branding.of_organisation(publisher.id) == Branding(LOGO, "#222222", "#dddddd")
