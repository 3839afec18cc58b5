"""Which addresses can be a visitor's, and what they count under."""

from __future__ import annotations

import pytest

from stamkund.rules.addresses import public_address, sent_address, source_of


@pytest.mark.parametrize(
    ("text", "address", "source"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("8.8.8.8", "8.8.8.8", "8.8.8.8"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:1::A", "2001:db8:0:1::a", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff::1", "2001:db8:0:1:ffff::1", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::1", "2001:db8:0:2::1", "2001:db8:0:2::/64"),
    ],
)
def test_a_public_address_counts_alone_or_by_its_network(text: str, address: str, source: str) -> None:
    assert (public_address(text), source_of(text)) == (address, source)


@pytest.mark.parametrize(
    "text",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.1.1", "100.64.0.1"),
        *("0.0.0.0", "::", "::1", "fe80::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "ff02::1", "224.0.0.1"),
        *("", "unknown", "1.2.3", "192.0.2.7:80", "1" * 39),
        None,
    ],
)
def test_a_private_address_is_no_visitors(text: str | None) -> None:
    assert public_address(text) is source_of(text) is None


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        (" 192.0.2.7 ", "192.0.2.7"),
        ("192.0.2.7:5000", "192.0.2.7"),
        ("10.0.0.1, 192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, 10.0.0.1", "10.0.0.1"),
        ("198.51.100.1," * 10_000 + "192.0.2.7:5000\t", "192.0.2.7"),
        ("2001:DB8::1%eth0", "2001:db8::1"),
        ("[2001:db8::1%25eth0]:5000", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_what_a_site_sends_is_read_as_the_address_that_it_means(sent: str, address: str) -> None:
    assert sent_address(sent) == address


@pytest.mark.parametrize(
    "sent",
    ["", " ", "unknown", "192.0.2.045", "192.0.2.7,", "192.0.2.7 192.0.2.8", "%eth0", "1" * 70_000, None, 7, [""]],
)
def test_what_is_no_address_stays_none(sent: object) -> None:
    assert sent_address(sent) is None
