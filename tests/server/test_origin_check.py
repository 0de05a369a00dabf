from __future__ import annotations

import pytest

from server.origin_check import check_fetch_site, check_host, check_origin, split_host

ALLOWED = ("https://pairloom.example.org",)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "127.0.0.1:8000"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://localhost:8000", "LOCALHOST:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://example.org", "example.org:80"),
        ("https://example.org", "example.org"),
        ("https://example.org:443", "example.org"),
        ("https://pairloom.example.org", "127.0.0.1:8000"),
        ("https://Pairloom.example.org", "127.0.0.1:8000"),
    ],
)
def test_own_and_allowed_origins_pass(origin: str | None, host: str) -> None:
    assert check_origin(origin, host, ALLOWED) is None


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", "127.0.0.1:8000"),
        ("http://127.0.0.1:8001", "127.0.0.1:8000"),
        ("http://127.0.0.1:8000.evil.example", "127.0.0.1:8000"),
        ("http://127.0.0.1:8000@evil.example", "127.0.0.1:8000"),
        ("http://pairloom.example.org", "127.0.0.1:8000"),
        ("https://pairloom.example.org.evil.example", "127.0.0.1:8000"),
        ("null", "127.0.0.1:8000"),
        ("", "127.0.0.1:8000"),
        ("file://", "127.0.0.1:8000"),
        ("http://[::1", "[::1]:8000"),
        ("http://127.0.0.1:99999", "127.0.0.1:8000"),
        ("http://127.0.0.1:8000", ""),
        ("chrome-extension://127.0.0.1:8000", "127.0.0.1:8000"),
    ],
)
def test_other_origins_are_refused_with_the_remedy(origin: str, host: str) -> None:
    reason = check_origin(origin, host, ALLOWED)
    assert reason is not None
    assert "allowed_origins" in reason


@pytest.mark.parametrize("value", [None, "same-origin", "none"])
def test_requests_of_this_site_pass(value: str | None) -> None:
    assert check_fetch_site(value) is None


@pytest.mark.parametrize("value", ["cross-site", "same-site", "", "anything"])
def test_requests_of_another_site_are_refused(value: str) -> None:
    assert check_fetch_site(value) is not None


@pytest.mark.parametrize(
    ("host", "bound"),
    [
        ("127.0.0.1:8000", "127.0.0.1"),
        ("localhost:8000", "127.0.0.1"),
        ("localhost.", "127.0.0.1"),
        ("room.localhost:8000", "127.0.0.1"),
        ("[::1]:8000", "::1"),
        ("127.8.8.8", "127.0.0.1"),
        ("pairloom.example.org", "127.0.0.1"),
        ("any.name.example:8000", "0.0.0.0"),
        ("192.168.1.5:8000", "192.168.1.5"),
    ],
)
def test_names_of_this_server_pass(host: str, bound: str) -> None:
    assert check_host(host, bound, ALLOWED) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0:8000", "192.168.1.5"],
)
def test_a_name_pointed_at_a_loopback_server_is_refused(host: str) -> None:
    reason = check_host(host, "127.0.0.1", ALLOWED)
    assert reason is not None
    assert "allowed_origins" in reason


@pytest.mark.parametrize("host", [None, "", "a b", "a/b", "a@b", "a:port", "a:99999", "[::1", "a;b", "ä"])
def test_what_is_no_host_is_refused_wherever_the_server_listens(host: str | None) -> None:
    assert check_host(host, "0.0.0.0", ()) is not None


def test_a_host_is_split_into_name_and_port() -> None:
    assert split_host("[::1]:80") == ("::1", 80)
    assert split_host("Example.ORG") == ("example.org", None)
