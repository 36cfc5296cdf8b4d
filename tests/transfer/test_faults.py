"""Whatever a server or a line does: the right bytes or one clear error, and nothing that a later transfer does not clean away."""

from __future__ import annotations

import hashlib
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from hubclient.errors import CorruptTransfer, NotFound, SourceError, Unreachable
from hubclient.settings import Limits, Settings
from hubclient.sources.location import S3Location
from hubclient.sources.s3 import S3File
from hubclient.transfer.fetch import Fetched, fetch
from hubclient.transfer.line import Line
from tests.servers.corrupting import running_corrupting
from tests.servers.script import Reply, Request, ScriptedServer, running_script
from tests.servers.seaweed import Seaweed
from tests.transfer.faults import FAULTS, LARGE, SMALL, Case, Fault, good

LIMITS = Limits(silence=0.3)


class Patient:
    """Fetches without waiting, and remembers how long it should have."""

    def __init__(self, endpoint: str, folder: Path, bucket: str = "b", limits: Limits = LIMITS) -> None:
        self._settings = Settings(cache_dir=folder, s3_endpoint=endpoint, limits=limits)
        self._location = S3Location(bucket, "models/k.zip")
        self.target = folder / "target"
        self.waits: list[float] = []

    def fetch(self) -> Fetched:
        file = S3File(self._location, self._settings)
        return fetch(file, self.target, parts=self._settings.transfers, line=Line(self._settings.limits), sleep=self.waits.append)

    def left(self) -> list[str]:
        return [path.name for path in self._settings.transfers.rglob("*")]


@pytest.fixture
def patient(script: ScriptedServer, tmp_path: Path) -> Patient:
    return Patient(script.endpoint, tmp_path)


@pytest.fixture(params=[SMALL, LARGE], ids=["small", "large"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    case = Case(request.param)
    yield case
    case.released.set()


def serve(script: ScriptedServer, case: Case, fault: Fault) -> None:
    def answer(request: Request) -> Reply:
        is_content = request.method == "GET" and request.headers.get("Range") != "bytes=0-0"
        with script.lock:
            number = sum(same(earlier) == is_content for earlier in script.requests)
        return (fault.answer if is_content else fault.facts or good)(case, request, number)

    def same(request: Request) -> bool:
        return request.method == "GET" and request.headers.get("Range") != "bytes=0-0"

    script.answer = answer


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault(fault: Fault, case: Case, script: ScriptedServer, patient: Patient) -> None:
    serve(script, case, fault)
    if fault.error is None:
        fetched = patient.fetch()
        assert fetched.sha256 == hashlib.sha256(case.content).hexdigest()
    else:
        with pytest.raises(fault.error) as raised:
            patient.fetch()
        assert isinstance(raised.value, SourceError)
        assert raised.value.where
        assert raised.value.hint
        assert not patient.target.exists()
        # The trouble is over: what was left is of use, or out of the way.
        script.answer = case.good
        patient.fetch()
    assert patient.target.read_bytes() == case.content
    assert patient.left() == []


def test_all_streams_wait_when_one_is_asked_to(script: ScriptedServer, patient: Patient) -> None:
    case = Case(LARGE)
    busy = Reply(503, headers={"Retry-After": "7"})
    serve(script, case, Fault("busy once", lambda case, request, number: busy if number == 2 else case.good(request)))
    patient.fetch()
    assert patient.target.read_bytes() == LARGE
    assert patient.waits == [7]


def test_a_failure_that_others_made_good_costs_nothing(script: ScriptedServer, patient: Patient) -> None:
    case = Case(LARGE)
    serve(script, case, Fault("one stream fails", lambda case, request, number: Reply(503) if number == 3 else case.good(request)))
    patient.fetch()
    assert patient.target.read_bytes() == LARGE
    assert patient.waits == []


def test_an_unknown_host(patient: Patient) -> None:
    patient = Patient("http://nowhere.invalid", patient.target.parent)
    with pytest.raises(Unreachable, match="is not known"):
        patient.fetch()
    assert len(patient.waits) == 4


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[ScriptedServer]:
    """A server with a certificate by an authority that nobody knows."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with running_script(tls) as server:
        yield server


def test_an_unknown_authority(secure: ScriptedServer, tmp_path: Path) -> None:
    patient = Patient(secure.endpoint, tmp_path)
    with pytest.raises(Unreachable, match="no secure connection") as raised:
        patient.fetch()
    assert "REQUESTS_CA_BUNDLE" in str(raised.value)
    assert patient.waits == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_an_authority_of_ones_own(
    variable: str, secure: ScriptedServer, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv(variable, str(tmp_path / "ca.pem"))
    case = Case(LARGE)
    secure.answer = case.good
    Patient(secure.endpoint, tmp_path).fetch()
    assert (tmp_path / "target").read_bytes() == LARGE


@pytest.mark.parametrize("security", ["plain", "tls"])
def test_streams_that_wait_end_with_the_transfer(
    security: str, script: ScriptedServer, secure: ScriptedServer, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In no time, and without a word."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    server = script if security == "plain" else secure
    case = Case(LARGE)
    waiting = threading.Semaphore(0)

    def answer(case: Case, request: Request, number: int) -> Reply:
        if number == 1:
            return case.good(request)
        if number < 5:
            waiting.release()
            return case.good(request, cut=100_000, hold=case.released)
        for _ in range(3):
            waiting.acquire()
        return Reply(404)

    serve(server, case, Fault("gone", answer))
    patient = Patient(server.endpoint, tmp_path, limits=Limits(silence=60))
    began = time.monotonic()
    with pytest.raises(NotFound):
        patient.fetch()
    assert time.monotonic() - began < 30
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("hubclient")]
    case.released.set()


def test_proofs_stay_with_their_origin(script: ScriptedServer, patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    case = Case(LARGE)
    with running_script() as other:
        other.answer = case.good
        moved = Reply(307, headers={"Location": f"{other.endpoint}/elsewhere"})
        script.answer = lambda request: moved if "Authorization" in request.headers else Reply(403)
        patient.fetch()
        assert patient.target.read_bytes() == LARGE
        assert len(other.asked("GET")) > 1
        assert not [request for request in other.requests if "secret" in str(request) or "Authorization" in request.headers]


def test_bits_that_are_flipped_on_the_way_from_a_real_server(seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put("auxdata.johnsnowlabs.com", "models/k.zip", LARGE)
    with running_corrupting(seaweed.endpoint) as proxy:
        patient = Patient(proxy.endpoint, tmp_path, bucket="auxdata.johnsnowlabs.com")
        proxy.times = 1
        patient.fetch()
        assert proxy.times == 0
        assert patient.target.read_bytes() == LARGE
        patient.target.unlink()
        proxy.times = 1_000_000
        with pytest.raises(CorruptTransfer, match="MD5"):
            patient.fetch()
        assert not patient.target.exists()
        assert patient.left() == []
