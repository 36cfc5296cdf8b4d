"""How executors come by the driver's model, and that they take no other."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hubclient import Hub
from hubclient.errors import InconsistentModel, NoSourceLeft
from hubclient.lockfile import Lock, Pin, write_lock
from hubclient.settings import Settings
from tests.e2e.material import BUCKET, DEMO, DEMO_KEY, DEMO_ZIP, TREC6_ZIP

shipping: Any = pytest.importorskip("hubclient.spark.shipment") if shutil.which("java") else None

TEXT = "I really liked that movie!"


@pytest.fixture
def driver(tmp_path: Path) -> Hub:
    return Hub(settings=Settings(cache_dir=tmp_path / "driver", offline=True, live_index=None), progress=False)


@pytest.fixture
def executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its cache; nothing is in it yet."""
    monkeypatch.setenv("HUBCLIENT_CACHE", str(tmp_path / "executor"))
    return tmp_path / "executor"


def sent(hub: Hub, reference: str, **options: Any) -> Any:
    return shipping.ship(hub.load(reference, **options), reference, hub)


def gone(shipment: Any) -> None:
    shutil.rmtree(shipment.folder)


def test_the_drivers_folder_is_taken_where_it_is(driver: Hub, executor: Path) -> None:
    shipment = sent(driver, f"en/{DEMO}")
    assert shipping.checked_folder(shipment) == Path(shipment.folder)
    assert not (executor / "contents").exists()


def test_what_the_store_has_of_the_content(driver: Hub, executor: Path) -> None:
    shipment = sent(driver, f"en/{DEMO}")
    gone(shipment)
    Hub(cache_dir=executor, offline=True, progress=False).pull(str(DEMO_ZIP))
    assert shipping.checked_folder(replace(shipment, reference="no_such_model")) == executor / "contents" / shipment.digest


@pytest.mark.parametrize("reference", [f"en/{DEMO}", f"s3://{BUCKET}/{DEMO_KEY}", str(DEMO_ZIP)], ids=["name", "address", "path"])
def test_it_is_got_where_it_is_not(driver: Hub, executor: Path, reference: str) -> None:
    shipment = sent(driver, reference)
    gone(shipment)
    assert shipping.checked_folder(shipment) == executor / "contents" / shipment.digest


def test_a_path_is_the_same_in_any_folder(driver: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DEMO_ZIP.parent)
    assert sent(driver, f"./{DEMO_ZIP.name}").reference == str(DEMO_ZIP)


def test_another_model_at_the_same_path_is_refused(driver: Hub, executor: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shutil.copytree(driver.pull(f"en/{DEMO}"), shared)
    shipment = sent(driver, str(shared))
    assert shipping.checked_folder(shipment) == shared
    shutil.rmtree(shared)
    shutil.copytree(driver.pull(str(TREC6_ZIP)), shared)
    with pytest.raises(InconsistentModel, match="not the driver's") as caught:
        shipping.checked_folder(shipment)
    assert shipment.digest in str(caught.value)
    assert str(shared) in str(caught.value)


def test_a_changed_byte_is_another_model(driver: Hub, executor: Path) -> None:
    """However much the marker says that all is well."""
    shipment = sent(driver, f"en/{DEMO}")
    weights = Path(shipment.folder) / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(InconsistentModel, match="not the driver's"):
        shipping.open_shipment(shipment)


def locked(tmp_path: Path, **facts: Any) -> Hub:
    pin = Pin(DEMO, f"s3://{BUCKET}/{DEMO_KEY}", "en", "3.4.4", **facts)
    write_lock(Lock.of([pin]), tmp_path / "hubclient.lock")
    settings = Settings(cache_dir=tmp_path / "driver", offline=True, live_index=None, lock=tmp_path / "hubclient.lock")
    return Hub(settings=settings, progress=False)


def test_the_lock_of_the_driver_goes_with_it(tmp_path: Path, executor: Path, driver: Hub) -> None:
    sha256 = driver.store.find(f"s3://{BUCKET}/{DEMO_KEY}")
    driver.pull(f"en/{DEMO}")
    entry = driver.store.find(f"s3://{BUCKET}/{DEMO_KEY}")
    assert (sha256, entry is None) == (None, False)
    assert entry is not None
    shipment = sent(locked(tmp_path, sha256=entry.manifest["origin"]["sha256"]), f"en/{DEMO}")
    gone(shipment)
    (tmp_path / "hubclient.lock").unlink()
    assert shipping.checked_folder(shipment) == executor / "contents" / shipment.digest


def test_an_executor_gets_nothing_else_than_the_lock_pins(tmp_path: Path, executor: Path, driver: Hub) -> None:
    shipment = sent(driver, f"en/{DEMO}")
    pin = Pin(DEMO, f"s3://{BUCKET}/{DEMO_KEY}", "en", "3.4.4", sha256="0" * 64)
    gone(shipment)
    with pytest.raises(NoSourceLeft) as caught:
        shipping.checked_folder(replace(shipment, pin=pin, offline=True))
    assert f"{'0' * 64} is wanted" in str(caught.value)
    assert not (executor / "contents").exists()


def test_a_process_opens_a_model_once(driver: Hub, executor: Path) -> None:
    first, second = sent(driver, f"en/{DEMO}"), sent(driver, f"en/{DEMO}")
    assert shipping.open_shipment(replace(first, threads=1)) is shipping.open_shipment(replace(second, threads=1))
    shorter = sent(driver, f"en/{DEMO}", max_length=5)
    opened = shipping.open_shipment(replace(shorter, threads=1))
    assert (opened.max_length, opened(TEXT)) == (5, driver.load(f"en/{DEMO}", max_length=5)(TEXT))
