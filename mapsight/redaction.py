"""Addresses as they may be written down: without names, passwords and signatures.

What is left names the picture still. So a picture is found again, also where its address
was signed anew, and two pictures do not become one.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from urllib.parse import quote, unquote, unquote_plus

__all__ = ["public_address", "without_secrets"]

SIGNED = re.compile(r"x-(amz|goog|oss|cos|obs|ms)-.*|hdnea|hdnts|hdntl|__(token|gda)__")
"""Parameters of signatures, with the algorithm, time and account that belong to them."""

SECRET = re.compile(
    r"(.*[-_.])?(sig|signature|hmac|policy|key-pair-id|(aws|google|oss)?access(key)?id"
    r"|(access|auth|id|refresh|security|bearer|api|sas|oauth)[-_]?token|delegation"
    r"|pwd|passwd|password|passphrase|client[-_]?secret"
    r"|(api|access|private|secret|subscription|signing)[-_]?key([-_]?id)?)"
)
"""Parameters that let somebody in, or belong to those that do."""

WITH_SIGNATURE = re.compile(
    r"expir(es|y)|exp|(hash-)?algorithm|s[tepvris]|sip|spr|ss|srt|sk(oid|tid|t|e|s|v)|s[au]oid"
    r"|scid|sdd|rsc[cdelt]"
)
"""Parameters that say how and until when a signature is good, where there is one."""

TOGETHER = ({"ex", "is", "hm"}, {"oh", "oe"})
"""Parameters that are a signature (of Discord, of Facebook) where all of them are there."""

OPAQUE = re.compile(
    r"(.*[-_.])?(token|auth|authorization|sign|secret|pass|credentials?|jwt|sid|session([-_]?id)?)"
    r"|key"
)
"""Parameters that may be a secret and may be what names the picture: a digest of it stays."""

LONG = re.compile(r"[A-Za-z0-9_+=~%-]{24,}")
DIGEST = re.compile(r"~[0-9a-f]{16}")
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
LOGIN = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*://([^/\\?#\s]*)@")
IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
SESSION = re.compile(r";(jsessionid|phpsessid|sid)=[^/?#;]*", re.I)
WITH_LOGIN = ("hdfs", "s3", "s3a", "gs", "gcs")
PATHS = (*WITH_LOGIN, "file", "local", "memory", "abfs", "abfss", "az", "wasb", "wasbs")
"""Schemes whose addresses are paths: ? and # are letters of them, and before the @ of Azure
is the name of a container."""
DEPTH = 3  # of addresses inside addresses


def public_address(address: str) -> str:
    """An address without what lets somebody in; other text, and any other address, as it is.

    >>> public_address("https://me:secret@host/a.jpg?size=2&X-Amz-Signature=1f")
    'https://host/a.jpg?size=2'
    >>> public_address("https://host/a.jpg?token=1f2e")
    'https://host/a.jpg?token=~c6c28f8737422e99'
    """
    return _public(address, DEPTH)


def without_secrets(text: str, address: str = "") -> str:
    """Text (a message, a command line) with each address in it as `public_address` has it.

    Args:
        address: whose login is left out also where it stands alone.
    """
    if (login := LOGIN.match(address)) and login[1]:
        text = text.replace(f"{login[1]}@", "").replace(login[1], "…")
    return IN_TEXT.sub(lambda found: public_address(found[0]), text) if "://" in text else text


@functools.lru_cache(maxsize=1024)
def _public(address: str, depth: int) -> str:
    begin = ADDRESS.match(address.lstrip())
    if begin is None or not any(mark in address for mark in "@?#;%"):
        return address
    lead = address[: len(address) - len(address.lstrip())] + begin[0]
    rest = address[len(lead) :]
    scheme = begin[0][:-3].lower()
    if scheme in PATHS:
        return lead + re.sub(r"^[^/]*@", "", rest) if scheme in WITH_LOGIN else address
    host, path, query, fragment = _divided(rest)
    path = SESSION.sub("", path)
    return lead + host + path + _parameters("?", query, depth) + _parameters("#", fragment, depth)


def _divided(rest: str) -> tuple[str, str, str | None, str | None]:
    """Host without a login, path, query and fragment; None where there is no such part."""
    host, path = re.match(r"([^/\\?#]*)(.*)", rest, re.S).groups()  # type: ignore[union-attr]
    _, at, host_only = host.rpartition("@")
    if not at and "@" in path and re.search(r":(?!\d*$)", host) and not host.startswith("["):
        # a password with a slash, ? or # in it: nobody can reach that, and it is not shown
        host, _, after = path.rpartition("@")
        host_only, path = re.match(r"([^/\\?#]*)(.*)", after, re.S).groups()  # type: ignore[union-attr]
    path, hash_mark, fragment = path.partition("#")
    path, query_mark, query = path.partition("?")
    return host_only, path, query if query_mark else None, fragment if hash_mark else None


def _parameters(mark: str, text: str | None, depth: int) -> str:
    """A query or fragment with its mark, without secrets; "" if nothing is left of it."""
    if text is None:
        return ""
    pieces = re.split(r"([&;])", text)
    parameters, marks = pieces[::2], ["", *pieces[1::2]]
    names = [_name(parameter) for parameter in parameters]
    secret = _secret_names(names)
    left = [
        (between, _shown(name, parameter, depth))
        for name, parameter, between in zip(names, parameters, marks, strict=True)
        if name not in secret
    ]
    if len(left) == len(parameters):
        return mark + "".join(between + parameter for between, parameter in left)
    joined = "".join(between + parameter for between, parameter in left)
    return f"{mark}{joined.lstrip('&;')}" if joined.strip("&;") else ""


def _name(parameter: str) -> str:
    """The name of a parameter, as a server reads it; also after HTML's &amp;."""
    name, equals, _ = parameter.partition("=")
    return unquote_plus(name).strip().lower().removeprefix("amp;") if equals else ""


def _secret_names(names: Sequence[str]) -> set[str]:
    """Those of some parameters that are left out."""
    here = set(names)
    secret = {name for name in here if name and (SIGNED.fullmatch(name) or SECRET.fullmatch(name))}
    for group in TOGETHER:
        secret |= group if group <= here else set()
    signed = any(re.search(r"sig(nature)?$|^policy$", name) for name in secret)
    return secret | (set(filter(WITH_SIGNATURE.fullmatch, here)) if signed else set())


def _shown(name: str, parameter: str, depth: int) -> str:
    """A parameter with its value, or with a digest of it."""
    before, equals, value = parameter.partition("=")
    plain = unquote(value)
    if depth and ADDRESS.match(plain):
        public = _public(plain, depth - 1)
        return parameter if public == plain else f"{before}={quote(public, ':/?=,~')}"
    if not (name and OPAQUE.fullmatch(name)) or DIGEST.fullmatch(value) or not value:
        return parameter
    if name == "key" and not LONG.fullmatch(value):  # of a picture, rather than to it
        return parameter
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{before}{equals}~{digest}"
