"""Whatever the network raises becomes one clear sentence about one peer."""

from __future__ import annotations

import builtins
import errno
import inspect
import socket
import ssl

import pytest

from dragoman.errors import UpstreamDied, UpstreamTimeout, UpstreamUnreachable
from dragoman.upstream import failures

PEER = "api.example:443"


def make_verification_error():
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (socket.gaierror(-2, "Name or service not known"), "cannot be resolved"),
        (make_verification_error(), "not trusted (self-signed certificate)"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version"), "TLS with"),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), "the handshake broke off"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "refuses connections"),
        (OSError(errno.ECONNREFUSED, "Multiple exceptions: ..."), "refuses connections"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "closed the connection"),
        (ConnectionAbortedError(), "closed the connection"),
        (BrokenPipeError(), "closed the connection"),
        (EOFError(), "closed the connection"),
        (None, "closed the connection"),
        (TimeoutError(errno.ETIMEDOUT, "x"), "did not accept"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "(Network is unreachable)"),
        (OSError(errno.EMFILE, "x"), "ulimit"),
        (OSError("Multiple exceptions: a, b"), "(OSError)"),
        (RuntimeError("uvloop's"), "(RuntimeError)"),
    ],
)
def test_every_connect_failure_has_its_sentence(error, says):
    failure = failures.unreachable(error, PEER)
    assert isinstance(failure, UpstreamUnreachable)
    assert PEER in failure.message
    assert says in failure.message
    assert failure.message.endswith(".")
    assert failure.retryable


OS_ERRORS = {
    kind
    for module in (builtins, ssl, socket)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, OSError)
}


@pytest.mark.parametrize("kind", sorted(OS_ERRORS, key=str), ids=lambda kind: kind.__name__)
def test_every_os_error_is_mapped(kind):
    failure = failures.unreachable(kind(5, "reason"), PEER)
    assert isinstance(failure, UpstreamUnreachable)
    assert PEER in failure.message


@pytest.mark.parametrize("limit", ["connect_s", "first_byte_s", "idle_s", "total_s"])
def test_a_timeout_names_its_setting(limit):
    failure = failures.timed_out(limit, 600.0, PEER)
    assert isinstance(failure, UpstreamTimeout)
    assert f"within 600 s (timeout.{limit})" in failure.message
    assert PEER in failure.message


def test_the_others():
    assert isinstance(failures.died(PEER), UpstreamDied)
    assert failures.died(PEER).message == f"{PEER} broke off its answer."
    assert "(why)" in failures.not_http(PEER, "why").message
    assert "api_keys" in failures.unsendable(PEER).message
