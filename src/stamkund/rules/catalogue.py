"""What a publisher sells: titles, products (rights to read something), packages of products, campaigns of packages.

A user product names a package or a campaign, never a product; which products that gives is decided by the catalogue.
Sources: Payway's "Titles", "Packaging" and "Get active products" pages, and section 5 of the wire contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import msgspec

from stamkund.rules.account import UserProduct
from stamkund.rules.subscription import gives_access
from stamkund.rules.timestamps import Zone


class Title(msgspec.Struct, omit_defaults=True):
    """A newspaper, or another brand, of the organisation. `rgb` is its colour: `#00aabb`."""

    code: str
    name: str
    image_url: str | None = None
    merchant_image_url: str | None = None
    url: str | None = None
    rgb: str | None = None


class Product(msgspec.Struct, omit_defaults=True):
    """A right to read something: what a site asks for."""

    code: str
    name: str


class Package(msgspec.Struct, omit_defaults=True):
    """What is subscribed to.

    `title` and `products` are codes. `integration_code`: its name in the subscription system. `grace_days`: how long a
    reader keeps access after a renewal that was not paid. `cancellable`: whether readers may cancel it themselves.
    """

    code: str
    products: list[str]
    name: str | None = None
    title: str | None = None
    integration_code: str | None = None
    grace_days: int = 0
    cancellable: bool = False


class Campaign(msgspec.Struct, omit_defaults=True):
    """An offer of a package. When it ends it may continue as `transforms_to`, a package or another campaign."""

    code: str
    package: str
    name: str | None = None
    transforms_to: str | None = None


class Catalogue(msgspec.Struct, omit_defaults=True, dict=True):
    """The catalogue of an organisation. Every code that it refers to exists, and is unique among its kind."""

    titles: list[Title] = []
    products: list[Product] = []
    packages: list[Package] = []
    campaigns: list[Campaign] = []

    def title(self, code: str) -> Title | None:
        return self._titles.get(code)

    def products_of(self, code: str) -> Sequence[str]:
        """The products in a package or campaign. A code that is not in the catalogue counts as a product."""
        package = self._packages.get(code)
        return (code,) if package is None else package.products

    def grace_days(self, code: str) -> int:
        """How long a package or campaign gives access after a failed payment."""
        package = self._packages.get(code)
        return 0 if package is None else package.grace_days

    @cached_property
    def _titles(self) -> dict[str, Title]:
        return {title.code: title for title in self.titles}

    @cached_property
    def _packages(self) -> dict[str, Package]:
        """Packages by their own code, and by those of their campaigns."""
        packages = {package.code: package for package in self.packages}
        return packages | {campaign.code: packages[campaign.package] for campaign in self.campaigns}


EMPTY = Catalogue()
"""The catalogue of an organisation that has none."""


def active_products(user_products: Iterable[UserProduct], catalogue: Catalogue, local: Zone, now: int) -> list[str]:
    """The codes of the products that `user_products` give access to at `now`; sorted, without duplicates."""
    codes: set[str] = set()
    for product in user_products:
        if gives_access(product.state, product.valid_from, _end(product, catalogue, local), now):
            codes.update(catalogue.products_of(product.product_code))
    return sorted(codes)


def _end(product: UserProduct, catalogue: Catalogue, local: Zone) -> int | None:
    """When access ends: for a frozen subscription, the grace days of its package after `valid_to`."""
    if product.state != "frozen" or product.valid_to is None:
        return product.valid_to
    return local.days_later(product.valid_to, catalogue.grace_days(product.product_code))
