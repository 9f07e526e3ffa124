"""The helper that calls of requests become: its source, for the generated module of a project."""

from __future__ import annotations

HELPER = "http_request"
HTTP_REQUEST = '''
import netrc
import os
import ssl
from collections.abc import Iterable, Mapping
from functools import lru_cache
from json import dumps
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import httpx


async def http_request(
    method: str,
    url: str | bytes,
    *,
    params: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | str | bytes | None = None,
    data: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | str | bytes | None = None,
    json: Any = None,
    headers: Mapping[str, str | bytes | None] | None = None,
    cookies: Mapping[str, str] | None = None,
    auth: tuple[str | bytes, str | bytes] | None = None,
    timeout: float | tuple[float | None, float | None] | None = None,
    allow_redirects: bool | None = None,
) -> httpx.Response:
    """Send one request, with a client of its own, as requests.request would; the body of the response is read.

    timeout is in seconds: for connecting and for each read, or a pair of them; None waits for ever. Redirects are
    followed, at most 30, unless allow_redirects is False, or it is not given and the method is HEAD.
    Raises httpx.HTTPError and ValueError (a bad URL, or NaN in json).
    """
    connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    limits = httpx.Timeout(connect=connect, read=read, write=connect, pool=None)
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    context = _http_ssl_context(bundle)
    async with httpx.AsyncClient(verify=context, timeout=limits, cookies=dict(cookies or {})) as client:
        request = _http_build(client, method, _http_url(url, params), data, json, headers or {})
        login = _http_login(request.url.host, auth)
        follow = request.method != "HEAD" if allow_redirects is None else allow_redirects
        for _ in range(31):
            response = await client.send(request, auth=login)
            if not follow or response.next_request is None:
                return response
            request, login = response.next_request, None
            if response.status_code not in (307, 308):  # what belongs to the body stays behind, as with requests
                for name in ("Content-Length", "Content-Type", "Transfer-Encoding"):
                    request.headers.pop(name, None)
                request = client.build_request(request.method, request.url, headers=request.headers)
        raise httpx.TooManyRedirects("Exceeded 30 redirects.", request=request)


@lru_cache(maxsize=None)
def _http_ssl_context(bundle: str | None) -> ssl.SSLContext:
    """Made once, as it takes tens of milliseconds: trusts the certificates of certifi, or of a file or folder."""
    if bundle is None:
        return httpx.create_ssl_context(trust_env=False)
    if os.path.isdir(bundle):
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)


def _http_build(
    client: httpx.AsyncClient, method: str, url: str, data: Any, json: Any, headers: Mapping[str, str | bytes | None]
) -> httpx.Request:
    """The request, with the body and the headers that requests would give it. A header of None is left out."""
    body: str | bytes | None = None
    kind = ""
    if data:
        body = _http_encoded(data)
        kind = "" if isinstance(data, (str, bytes)) else "application/x-www-form-urlencoded"
    elif json is not None:
        body, kind = dumps(json, allow_nan=False), "application/json"
    given = [
        (name.encode(), value if isinstance(value, bytes) else value.encode("latin-1"))
        for name, value in headers.items()
        if value is not None
    ]
    request = client.build_request(method, url, content=body, headers=given)
    for name, value in headers.items():
        if value is None:
            request.headers.pop(name, None)
    if kind:
        request.headers.setdefault("Content-Type", kind)
    return request


def _http_url(url: str | bytes, params: Any) -> str:
    """The URL with the parameters behind the query that it has."""
    parts = urlsplit((url.decode() if isinstance(url, bytes) else str(url)).lstrip())
    added = _http_encoded(params or "")
    query = "&".join(filter(None, (parts.query, added if isinstance(added, str) else added.decode())))
    safe = "%!$&'()*+,;=:@/?~"
    return urlunsplit(parts._replace(path=quote(parts.path or "/", safe), query=quote(query, safe)))


def _http_encoded(values: Any) -> str | bytes:
    """Query or form text: without the values that are None, and a list as a key that comes again."""
    if isinstance(values, (str, bytes)):
        return values
    pairs: list[tuple[Any, Any]] = []
    for key, value in values.items() if isinstance(values, Mapping) else values:
        several = value if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else [value]
        pairs.extend((key, one) for one in several if one is not None)
    return urlencode(pairs, doseq=True)


def _http_login(host: str, auth: tuple[str | bytes, str | bytes] | None) -> httpx.BasicAuth | None:
    """Name and password as given, else those that the netrc file has for the host."""
    if auth is None:
        paths = [os.environ["NETRC"]] if "NETRC" in os.environ else ["~/.netrc", "~/_netrc"]
        path = next(filter(os.path.exists, map(os.path.expanduser, paths)), None)
        try:
            found = netrc.netrc(path).authenticators(host) if path else None
        except (netrc.NetrcParseError, OSError):
            found = None
        if not found:
            return None
        auth = (found[0] or found[1] or "", found[2] or "")
    name, password = (part if isinstance(part, bytes) else str(part).encode("latin-1") for part in auth)
    return httpx.BasicAuth(name, password)
'''
