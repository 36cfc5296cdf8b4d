"""What a failure means for the model: whether it is gone, closed to us, or nothing is known.

Only who is asked, and answers, can say that a model is gone. Everything that may pass, and everything that is our own fault, says nothing
of the model.

Sources: Amazon S3 API Reference, "Error responses" (a missing key is AccessDenied to who may not list the bucket); huggingface_hub,
`hf_raise_for_status` (X-Error-Code, and 401 for what is not there or private).
"""

from __future__ import annotations

from collections.abc import Iterator

from hubclient.check import rules
from hubclient.check.finding import Rule
from hubclient.errors import (
    AmbiguousModel,
    ArchiveError,
    CardError,
    Forbidden,
    HubError,
    InvalidReference,
    NoSourceLeft,
    NotFound,
    Offline,
    ResolutionError,
    SourceError,
    StoreError,
    Unreachable,
    UsageError,
)

# What S3 answers to a signature that is none, out of time, or of somebody it does not know; the Hub to such a token.
_CREDENTIALS = frozenset(
    {
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "NotSignedUp",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    }
)
# A refusal that does not mean this object, and one that is over soon.
_CLOSED = frozenset({"AllAccessDisabled", "AccountProblem"})
_TROUBLE = frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "OperationAborted"})
_NO_ACCESS = "AccessDenied"
_UNSAID = "401"


def rule_of(error: HubError) -> Rule:
    """The rule that a failure is a finding of."""
    if isinstance(error, ResolutionError):
        return _unresolved(error)
    for kind, rule in (
        (InvalidReference, rules.INVALID_REFERENCE),
        (CardError, rules.UNREADABLE_CARD),
        (ArchiveError, rules.BROKEN_ARCHIVE),
        (Offline, rules.OFFLINE),
        (Unreachable, rules.UNREACHABLE),
        (NoSourceLeft, rules.GONE),
    ):
        if isinstance(error, kind):
            return _worst(error) if kind is NoSourceLeft else rule
    if isinstance(error, (NotFound, Forbidden)):
        return _refused(error)
    return rules.SERVER_TROUBLE if isinstance(error, (SourceError, StoreError, UsageError)) else rules.UNOPENED


def message_of(error: HubError) -> str:
    """One line for a person, without the address, which a finding has of its own."""
    return "; ".join(part for part in (error.what + (f": {error.why}" if error.why else ""), _explained(error)) if part)


def may_be_missing(error: SourceError) -> bool:
    """Whether this refusal is what S3 says of objects that are not there, too."""
    return isinstance(error, Forbidden) and (error.code in (None, _NO_ACCESS))


def _refused(error: SourceError) -> Rule:
    if error.code in _CREDENTIALS:
        return rules.CREDENTIALS
    if error.code in _TROUBLE:
        return rules.SERVER_TROUBLE
    # The Hub tells with a word of its own what is not there; who asks for credentials without it is somebody in between.
    if isinstance(error, NotFound) and error.code != _UNSAID:
        return rules.GONE
    return rules.FORBIDDEN


def _unresolved(error: ResolutionError) -> Rule:
    if isinstance(error, AmbiguousModel):
        return rules.AMBIGUOUS
    # What the cards do not know, the live index might: when nobody could ask it, nothing is known.
    troubles = [rule_of(cause) for cause in _sources(error)]
    return troubles[0] if troubles else rules.UNKNOWN_MODEL


def _worst(error: HubError) -> Rule:
    """Of several sources that failed: gone only if all of them said so."""
    found = [rule_of(cause) for cause in error.causes] or [rules.SERVER_TROUBLE]
    unsure = [rule for rule in found if rule.verdict == "unknown"]
    return unsure[0] if unsure else found[0]


def _sources(error: HubError) -> Iterator[HubError]:
    return (cause for cause in error.causes if isinstance(cause, SourceError))


def _explained(error: HubError) -> str | None:
    if not isinstance(error, Forbidden):
        return None
    if error.code in _CLOSED:
        return "the whole bucket is closed"
    if error.code == _NO_ACCESS:
        return "S3 says the same of objects that are not there, to who may not list the bucket"
    return None
