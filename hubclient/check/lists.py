"""What the lists of buckets say of many objects at once: a page for a thousand, where asking for each would be a thousand requests.

A list is believed in what it has, once one of these objects could be read; what it lacks is asked for by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from hubclient.check.aim import Aim
from hubclient.check.asking import Asking
from hubclient.check.found import Found, Tell, md5_of
from hubclient.errors import SourceError
from hubclient.sources import S3Location
from hubclient.sources.listing import Listed, Page, list_page

# So many objects of a bucket are worth a look into its list, and a page of the list is worth so many of them.
_WORTH_A_LIST = 50
_WORTH_A_PAGE = 10
_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})


def told_by_lists(aims: Iterable[Aim], asking: Asking, tell: Tell) -> list[Aim]:
    """Tells of those that a list has, and gives the others."""
    left: list[Aim] = []
    buckets: dict[str, dict[str, Aim]] = defaultdict(dict)
    for aim in aims:
        if isinstance(aim.location, S3Location) and aim.location.key not in buckets[aim.location.bucket]:
            buckets[aim.location.bucket][aim.location.key] = aim
        else:
            left.append(aim)
    for bucket, wanted in buckets.items():
        if len(wanted) >= _WORTH_A_LIST:
            _look(bucket, wanted, asking, tell)
        left.extend(wanted.values())
    return left


def _look(bucket: str, wanted: dict[str, Aim], asking: Asking, tell: Tell) -> None:
    """Takes out of `wanted` what the list has."""
    folders = {key.rpartition("/")[0] for key in wanted}
    prefix = f"{folders.pop()}/" if len(folders) == 1 and "" not in folders else ""
    readable, token = False, None
    for _ in range(len(wanted) // _WORTH_A_PAGE + 1):
        try:
            page = _page(bucket, prefix, token, asking)
        except SourceError:
            return
        for listed in page.objects:
            aim = wanted.get(listed.key)
            if aim is None or listed.storage_class in _ARCHIVED:
                continue
            if not readable:
                readable = _is_readable(aim, asking)
                if not readable:
                    return
            tell(wanted.pop(listed.key), _found(aim, listed))
        token = page.next_token
        if token is None or not wanted:
            return


def _page(bucket: str, prefix: str, token: str | None, asking: Asking) -> Page:
    url = asking.settings.s3_endpoint
    return asking.insist(url, lambda: asking.politely(url, lambda: list_page(bucket, prefix, asking.settings, token)))


def _is_readable(aim: Aim, asking: Asking) -> bool:
    try:
        asking.stat(aim.location)
    except SourceError:
        return False
    return True


def _found(aim: Aim, listed: Listed) -> Found:
    return Found(str(aim.location), listed.size, listed.etag, md5_of(listed.etag))
