"""What the network says, put into the words of the error tree.

Every transport turns its own exceptions into one of these sentences. They name the provider's
host and port, what went wrong and what to look at; never a path, a query, a header or a body.
"""

from __future__ import annotations

import errno
import socket
import ssl

from dragoman.errors import UpstreamDied, UpstreamTimeout, UpstreamUnreachable

_TIMEOUTS = {
    "connect_s": "did not accept a connection",
    "first_byte_s": "did not begin to answer",
    "idle_s": "sent nothing more",
    "total_s": "did not finish its answer",
}


def unreachable(error: BaseException | None, peer: str) -> UpstreamUnreachable:
    """The failure of an attempt before its answer began.

    `error` is what the operating system, `ssl` or a resolver raised, or None where the peer just
    closed the connection.
    """
    return UpstreamUnreachable(_explain(error, peer))


def _explain(error: BaseException | None, peer: str) -> str:
    match error:
        case socket.gaierror():
            return (
                f"The host name of {peer} cannot be resolved; "
                "check the provider's base_url and this machine's network."
            )
        case ssl.SSLCertVerificationError():
            reason = getattr(error, "verify_message", error.strerror)
            return (
                f"The TLS certificate of {peer} is not trusted ({reason}); "
                "if it is your own, name its authority in SSL_CERT_FILE."
            )
        case ssl.SSLError():
            reason = getattr(error, "reason", None) or "the handshake broke off"
            return (
                f"TLS with {peer} failed ({reason}); check the scheme of the provider's base_url."
            )
        case ConnectionRefusedError():
            return (
                f"{peer} refuses connections; "
                "check that the provider is running and that base_url has its port."
            )
        case None | ConnectionError() | EOFError():
            return f"{peer} closed the connection without an answer."
        case TimeoutError():
            return f"{peer} did not accept a connection; check base_url and firewalls."
        case OSError() if error.errno in {errno.EMFILE, errno.ENFILE}:
            return (
                f"No connection to {peer}: the gateway has as many files open as it may; "
                "raise its limit (ulimit -n)."
            )
        case _:
            reason = getattr(error, "strerror", None) or type(error).__name__
            return f"{peer} cannot be reached ({reason}); check base_url and the network."


def died(peer: str, how: str = "broke off its answer") -> UpstreamDied:
    """The failure of an attempt whose answer had begun; `how` says what the provider did."""
    return UpstreamDied(f"{peer} {how}.")


def not_http(peer: str, why: str) -> UpstreamUnreachable:
    """An answer that is not one, or is one that must not be trusted."""
    return UpstreamUnreachable(
        f"{peer} did not answer in HTTP/1.1 ({why}); check the provider's base_url."
    )


def timed_out(limit: str, seconds: float | None, peer: str) -> UpstreamTimeout:
    """The provider was too slow; `limit` is the name of the setting under `timeout`."""
    return UpstreamTimeout(
        f"{peer} {_TIMEOUTS[limit]} within {seconds or 0:g} s (timeout.{limit})."
    )


def unsendable(peer: str) -> UpstreamUnreachable:
    """A request that would break out of its own head."""
    return UpstreamUnreachable(
        f"A header for {peer} contains a line break or a null byte; "
        "check the provider's api_keys and headers."
    )
