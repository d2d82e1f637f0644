"""Addresses without what lets somebody in."""

from __future__ import annotations

import pytest

from mapsight.inputs.provenance import provenance_of
from mapsight.records import error_record
from mapsight.redaction import public_address, without_secrets

H = "https://h/a.jpg"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("https://me:S3CRET@h/a.jpg", H),
        ("https://me:p@S3CRET@h/a.jpg?x=a@b", f"{H}?x=a@b"),
        ("https://me:p/S3CRET@h/a.jpg", H),
        ("https://S3CRET@h/a.jpg", H),
        ("HTTPS://me:S3CRET@h:8443/a@b.jpg", "HTTPS://h:8443/a@b.jpg"),
        (f"{H}?X-Amz-Credential=S3CRET&X-Amz-Date=1&size=2&x-amz-signature=S3CRET", f"{H}?size=2"),
        (f"{H}?X%2DAmz%2DSignature=S3CRET&versionId=3", f"{H}?versionId=3"),
        (f"{H}?X-Goog-Signature=S3CRET&X-Goog-Expires=1", H),
        (f"{H}?AWSAccessKeyId=S3CRET&Expires=1&Signature=S3CRET", H),
        (f"{H}?Policy=S3CRET&Signature=S3CRET&Key-Pair-Id=S3CRET#part", f"{H}#part"),
        (f"{H}?sv=2020&se=1&sp=r&sr=b&sig=S3CRET", H),
        (f"{H}?w=1&amp;Signature=S3CRET", f"{H}?w=1&amp"),
        (f"{H}#access_token=S3CRET", H),
        (f"{H};jsessionid=S3CRET?w=1", f"{H}?w=1"),
        (f"{H}?api_key=S3CRET&password=S3CRET", H),
        ("https://o/p?url=https%3A%2F%2Fme%3AS3CRET%40h%2Fa.jpg&w=1", f"https://o/p?url={H}&w=1"),
        ("hdfs://me:S3CRET@nn:8020/a?b#c", "hdfs://nn:8020/a?b#c"),
    ],
)
def test_secrets_are_left_out(address: str, public: str):
    assert public_address(address) == public == public_address(public)
    assert "S3CRET" not in without_secrets(f"failed: '{address}', again")
    assert "S3CRET" not in error_record("url_failed", f"{address}: no")["detail"]
    assert "S3CRET" not in str(provenance_of({"url": address, "caption": f"see {address}"}))


@pytest.mark.parametrize(
    "address",
    [
        *(H, f"{H}?Expires=1", f"{H}?", f"{H}?b&&c=1", f"{H}?design=4&signal=5&monkey=5&author=Z"),
        *("https://[::1]:80/a@b", f"{H}?st=1&se=2", f"{H}?key=cats/1.jpg", "/home/x?token=3"),
        *("s3://b/a?sig=1#x@y", "abfs://container@account/a", "file:///a?token=1", "a.jpg", ""),
    ],
)
def test_what_has_no_secret_stays_as_it_is(address: str):
    assert public_address(address) == address


def test_an_opaque_token_leaves_a_digest_so_that_two_pictures_stay_two():
    one, two = (public_address(f"{H}?token=S3CRET{n}") for n in "12")
    assert one != two
    assert one.startswith(f"{H}?token=~")
    assert "S3CRET" not in one
    assert public_address(one) == one
