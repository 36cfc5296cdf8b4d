"""One HTTP client for every source: pooled connections, bounded redirects, failures told apart.

Environment: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY; REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, AWS_CA_BUNDLE, SSL_CERT_FILE. Without one of
these, the certificates that the operating system trusts are trusted.
"""

from __future__ import annotations

import functools
import html
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import responses
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from hubclient import __version__
from hubclient.errors import Forbidden, NotFound, ServerFailure, SourceError, Unreachable, UsageError
from hubclient.settings import is_web_address
from hubclient.sources.location import without_secrets
from hubclient.sources.loglines import keep_secrets_out

if TYPE_CHECKING:
    import ssl

    from urllib3 import BaseHTTPResponse, PoolManager
    from urllib3.exceptions import HTTPError

_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 30.0
_POOLED = 64
_MAX_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_MAX_ERROR_TEXT = 1 << 16
_PROXY_VARIABLES = tuple(
    name for lower in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method") for name in (lower, lower.upper())
)
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE")
_QUOTA_FIELD = re.compile(r";\s*(r|t)=(\d+)")
_S3_FIELD = re.compile(r"<(Code|Message)>([^<]*)</\1>")

Authorize = Callable[[str, str, Mapping[str, str]], Mapping[str, str]]
"""(method, URL, headers) -> headers that prove who asks."""


@dataclass(frozen=True)
class Answer:
    """A response whose body has not been read yet. `url` is the address that answered, after redirects."""

    url: str
    status: int
    headers: Mapping[str, str]
    response: BaseHTTPResponse

    def read(self, size: int) -> bytes:
        """At most so many bytes of the body as it was sent, as soon as some are there; none at its end.

        Raises Unreachable when it breaks off.
        """
        from urllib3.exceptions import HTTPError

        try:
            return self.response.read1(size, decode_content=False)
        except HTTPError as error:
            raise _no_answer(error, self.url) from error

    def abort(self) -> None:
        """End a `read` that another thread is waiting in."""
        # Not when it has ended by itself just now: then the connection is none of ours any more.
        with suppress(RuntimeError, ValueError, OSError):
            self.response.shutdown()

    def text(self) -> str:
        """The start of an error's body; empty if even that does not arrive."""
        from urllib3.exceptions import HTTPError

        try:
            return self.response.read(_MAX_ERROR_TEXT, decode_content=False).decode("utf-8", "replace")
        except HTTPError:
            return ""
        finally:
            self.close()

    def close(self) -> None:
        # A connection with unread bytes cannot be used again.
        self.response.close()
        self.response.release_conn()


def send(
    method: str, url: str, headers: Mapping[str, str], *, authorize: Authorize | None = None, silence: float = _SILENCE_SECONDS
) -> Answer:
    """Ask, and follow up to five redirects; `authorize` is never asked for another origin than that of `url`.

    `silence`: for how many seconds nothing may come, before the answer and within it.
    Any status is an answer: `failure` tells what it means. Raises Unreachable when there is none.
    """
    origin = origin_of(url)
    address = url
    for _ in range(_MAX_REDIRECTS + 1):
        proof = authorize(method, address, headers) if authorize and origin_of(address) == origin else {}
        answer = _send_once(method, address, {**headers, **proof}, silence)
        target = _redirect_target(answer)
        if target is None:
            return answer
        answer.close()
        address = target
    raise _lasting(
        ServerFailure(
            "too many redirects", where=without_secrets(url), why=f"more than {_MAX_REDIRECTS}, the last to {without_secrets(address)}"
        )
    )


def failure(answer: Answer, hint: str | None = None) -> SourceError:
    """What an answer that is not a success means. Reads the body."""
    kind, what, general = meaning(answer.status)
    fields = _fields(answer)
    error = kind(what, where=without_secrets(answer.url), why=_told(answer, fields), hint=hint or general)
    error.code = fields.get("Code") or answer.headers.get("X-Error-Code") or None
    error.lasting = not issubclass(kind, ServerFailure) or answer.status == 501
    error.retry_after = rest_asked(answer.headers)
    return error


def meaning(status: int) -> tuple[type[SourceError], str, str | None]:
    """(error, what went wrong, what to do) for a status that is not a success."""
    if status in (404, 410):
        return NotFound, "there is no such object", "check the address; the model may have been moved or withdrawn"
    if status in (401, 403, 451):
        return Forbidden, "access was refused", "check the address and your credentials"
    if status == 407:
        return Unreachable, "the proxy asks for credentials", "put them into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT"
    if status == 429:
        return ServerFailure, "the server asks for fewer requests", "wait a little, then try again"
    if status in (408, 425) or status >= 500:
        return ServerFailure, "the server is in trouble", "try again later"
    return SourceError, "the server did not accept the request", None


def rest_asked(headers: Mapping[str, str]) -> float | None:
    """For how many seconds a refusal asks to be left alone: its Retry-After, else when the used up quota of its RateLimit starts anew."""
    seconds = retry_after(headers.get("Retry-After"))
    return _quota_reset(headers.get("RateLimit", "")) if seconds is None else seconds


def _quota_reset(value: str) -> float | None:
    """`"api";r=0;t=55` (draft-ietf-httpapi-ratelimit-headers): of the quotas with nothing left, the one that takes longest."""
    quotas = [dict(_QUOTA_FIELD.findall(quota)) for quota in value.split(",")]
    return max((float(quota["t"]) for quota in quotas if quota.get("r") == "0" and "t" in quota), default=None)


def retry_after(value: str | None) -> float | None:
    """A header's seconds or date (RFC 9110, section 10.2.3) as seconds from now; what is neither is ignored."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def origin_of(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def basic_authorization(url: str) -> Authorize | None:
    """For an address that carries a user's name and password."""
    parts = urlsplit(url)
    if parts.username is None:
        return None
    from urllib3 import make_headers

    proof = make_headers(basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")
    return lambda method, address, headers: proof


def _send_once(method: str, url: str, headers: Mapping[str, str], silence: float) -> Answer:
    from urllib3 import Timeout
    from urllib3.exceptions import HTTPError

    # Compressed bytes would be neither the size nor the content that the ETag and the checksums speak of.
    fixed = {"User-Agent": f"hubclient/{__version__}", "Accept-Encoding": "identity"}
    try:
        proxy = _proxy_for(url)
        pool = _pool(proxy, _ca_bundle(), is_tls=any(address.startswith("https:") for address in (url.lower(), (proxy or "").lower())))
        timeout = Timeout(connect=_CONNECT_SECONDS, read=silence)
        response = pool.request(
            method, url, headers={**fixed, **headers}, preload_content=False, redirect=False, retries=False, timeout=timeout
        )
    except HTTPError as error:
        raise _no_answer(error, url) from error
    except ValueError as error:
        raise _impossible(error, url) from error
    return Answer(url, response.status, response.headers, response)


def _redirect_target(answer: Answer) -> str | None:
    location = answer.headers.get("Location")
    if answer.status not in _REDIRECTS or not location:
        return None
    target = _joined(answer.url, location)
    if not is_web_address(target) or (urlsplit(target).scheme == "http" and urlsplit(answer.url).scheme == "https"):
        answer.close()
        raise _lasting(
            ServerFailure(
                "a redirect that is not safe to follow",
                where=without_secrets(answer.url),
                why=f"it leads to {without_secrets(target)}" if is_web_address(target) else "it leads to no address of http or https",
                hint="ask whoever runs the server for an https address",
            )
        )
    return target


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:
        return location


def _fields(answer: Answer) -> dict[str, str]:
    """What S3 says in the body of a refusal."""
    return {name: html.unescape(value).strip() for name, value in _S3_FIELD.findall(answer.text())}


def _told(answer: Answer, fields: Mapping[str, str]) -> str:
    said = f"HTTP {answer.status} {responses.get(answer.status, '')}".rstrip()
    return ": ".join([said, *(fields[name] for name in ("Code", "Message") if fields.get(name))])


def _no_answer(error: HTTPError, url: str) -> SourceError:
    from urllib3 import exceptions as u

    host = urlsplit(url).netloc.rpartition("@")[2]
    hint = "check the address, your connection, and HTTPS_PROXY if you are behind a proxy"
    lasting = True
    if isinstance(error, u.SSLError):
        what, hint = (
            f"no secure connection to {host}",
            "if your network has its own certificate authority, name its file in REQUESTS_CA_BUNDLE",
        )
    elif isinstance(error, (u.LocationValueError, u.URLSchemeUnknown)):
        what = f"'{host}' is not a host that can be asked"
    elif isinstance(error, u.ProxyError):
        what, lasting = f"no connection to {host} through the proxy", False
    elif isinstance(error, u.NameResolutionError):
        what, lasting = f"the host {host} is not known", False
    elif isinstance(error, u.NewConnectionError):  # which is a TimeoutError to urllib3
        what, lasting = f"no connection to {host}", False
    elif isinstance(error, u.TimeoutError):
        what, lasting = f"{host} did not answer in time", False
    else:
        what, lasting = f"the connection to {host} broke off", False
    failed = Unreachable(what, where=without_secrets(url), why=_innermost(error), hint=hint)
    failed.lasting = lasting
    return failed


def _impossible(error: ValueError, url: str) -> SourceError:
    """A line break in a credential, an address of a proxy that is none. What is wrong may be secret: only its kind is shown."""
    return _lasting(
        SourceError(
            "the request cannot be made",
            where=without_secrets(url),
            why=str(error).partition(" b'")[0],
            hint="check HTTPS_PROXY, and your credentials for line breaks",
        )
    )


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    # urllib3 writes its objects into messages: "<…HTTPConnection object at 0x7f…>: Failed to …".
    return re.sub(r"^(?:<[^>]*>|\w+\(.*?\)): ", "", str(error)) or type(error).__name__


def _lasting(error: SourceError) -> SourceError:
    error.lasting = True
    return error


def _proxy_for(url: str) -> str | None:
    parts = urlsplit(url)
    return _proxy_by(parts.scheme, parts.netloc.rpartition("@")[2], tuple(map(os.environ.get, _PROXY_VARIABLES)))


@functools.lru_cache(maxsize=64)
def _proxy_by(scheme: str, host: str, environment: tuple[str | None, ...]) -> str | None:
    """Worked out once for each host and `environment`: every piece of a file asks."""
    from urllib.request import getproxies, proxy_bypass

    if proxy_bypass(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _ca_bundle() -> str | None:
    """The certificates that are trusted in place of the system's."""
    for name in _CA_VARIABLES:
        if path := os.environ.get(name):
            if not os.path.exists(path):
                raise UsageError(f"{name} names a file that does not exist", where=path, hint=f"correct or unset {name}")
            return path
    return None


@functools.lru_cache(maxsize=8)
def _pool(proxy: str | None, ca_bundle: str | None, *, is_tls: bool) -> PoolManager:
    from urllib3 import PoolManager, ProxyManager, make_headers

    keep_secrets_out()
    # One for all connections: to read the certificates for each would take longer than the handshake.
    trusted = _trusting(ca_bundle) if is_tls else None
    shared: dict[str, Any] = {"maxsize": _POOLED, "ssl_context": trusted}
    if proxy is None:
        return PoolManager(**shared)
    parts = urlsplit(proxy)
    known = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    proof = make_headers(proxy_basic_auth=known) if known else None
    return ProxyManager(proxy, proxy_headers=proof, proxy_ssl_context=trusted, **shared)


def is_direct(url: str) -> bool:
    """Whether no proxy stands between."""
    return _proxy_for(url) is None


def tls_context() -> ssl.SSLContext:
    """For connections that are opened without this client: the same authorities."""
    return _trusting(_ca_bundle())


def _trusting(ca_bundle: str | None) -> ssl.SSLContext:
    import ssl

    if ca_bundle is None:
        import truststore

        # The system's own: what an administrator has added there counts.
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    is_folder = os.path.isdir(ca_bundle)
    try:
        return ssl.create_default_context(cafile=None if is_folder else ca_bundle, capath=ca_bundle if is_folder else None)
    except ssl.SSLError as error:
        hint = f"correct or unset the variable that names it: {', '.join(_CA_VARIABLES)}"
        raise UsageError("the file of certificates cannot be read", where=ca_bundle, why=str(error), hint=hint) from error
