"""A hub: settings held together, and everything that can be asked with them; the same as functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypedDict, Unpack, overload

from hubclient import bundled
from hubclient.acquire import Workshop
from hubclient.cards import Card
from hubclient.catalog import CardKey, Catalog, Layer, Query, Resolution
from hubclient.convert.annotators import Task, can_open
from hubclient.errors import InvalidReference
from hubclient.names import CardReference, PathReference, Reference, parse_reference
from hubclient.plan import SourceChoice
from hubclient.settings import Limits, Settings
from hubclient.store import Store
from hubclient.task import check_task
from hubclient.transfer.line import Line
from hubclient.transfer.progress import progress_for
from hubclient.way import Choice, Opening, Target, find, obtain, open_reference
from hubclient.windows import LongTexts, Pooling

if TYPE_CHECKING:
    from hubclient.afar.look import Seen
    from hubclient.bundles.bundle import Bundled
    from hubclient.catalog.live_index import LiveIndex
    from hubclient.classifier import Classifier
    from hubclient.explain import Explanation
    from hubclient.imports.result import Imported
    from hubclient.lockfile import Lock
    from hubclient.mirror.copy import Mirrored
    from hubclient.pulling import Pulled, PullPlan
    from hubclient.tagger import TokenClassifier
    from hubclient.way import Opened
    from hubclient.zero_shot import ZeroShotClassifier

ZeroShot = Literal["zero-shot-classification"]
Token = Literal["token-classification"]
Text = Literal["text-classification"]


class Loading(Opening, total=False):
    version: str | None
    source: SourceChoice | None
    revision: str | None


class Keeping(TypedDict, total=False):
    """See `Hub`."""

    cache_dir: str | Path | None
    progress: bool | None


class Everything(Loading, Keeping, total=False):
    offline: bool | None
    lock: str | Path | None


class FromDisk(Opening, Keeping, total=False):
    pass


class Hub:
    """`cache_dir`: where models are kept. `offline`: open no connection. What is not given comes from the environment.
    `progress`: bars on stderr; None means on a terminal. `limits`: what transfers may take of the line. `lock`: a lockfile; what it does
    not pin is refused. `settings`: all of them at once."""

    def __init__(
        self,
        *,
        cache_dir: str | Path | None = None,
        offline: bool | None = None,
        progress: bool | None = None,
        limits: Limits | None = None,
        lock: str | Path | None = None,
        settings: Settings | None = None,
    ) -> None:
        chosen = settings or Settings.from_environment(cache_dir=cache_dir, offline=offline)
        chosen = replace(chosen, lock=Path(os.path.expanduser(lock))) if lock else chosen
        self.settings = replace(chosen, limits=limits) if limits else chosen
        self.progress = progress_for(progress)

    @cached_property
    def catalog(self) -> Catalog:
        shipped = (Layer("bundle", bundled.INDEX), Layer("folder", bundled.CARDS))
        own = (Layer("folder", folder, own=True) for folder in self.settings.card_folders)
        folder = self.settings.cache_dir / "catalogue"
        return Catalog((*shipped, *own), folder=folder, live=self._live_cards, progress=self.progress)

    @cached_property
    def live(self) -> LiveIndex:
        """The public bucket's own list of its archives, for names that no card has."""
        from hubclient.catalog.live_index import LiveIndex

        return LiveIndex(self.settings, self.progress)

    def _live_cards(self, name: str, *, ask: bool = True) -> list[Card]:
        return self.live.cards_named(name, ask=ask)

    @cached_property
    def store(self) -> Store:
        return Store(self.settings.cache_dir, self.settings.shared_caches)

    @cached_property
    def workshop(self) -> Workshop:
        return Workshop(self.catalog, self.store, self.settings, self.progress, Line(self.settings.limits), lock=self.lock)

    @cached_property
    def lock(self) -> Lock | None:
        """Which models may be had; None for all. Raises LockError."""
        if self.settings.lock is None:
            return None
        from hubclient.lockfile import read_lock

        return read_lock(self.settings.lock)

    def unlocked(self) -> Hub:
        """The same hub, for whom no lock counts."""
        if self.settings.lock is None:
            return self
        hub = copy(self)
        hub.settings = replace(self.settings, lock=None)
        for name in ("workshop", "lock"):
            hub.__dict__.pop(name, None)
        return hub

    @property
    def cards(self) -> Mapping[CardKey, Card]:
        """Every card that this hub knows."""
        return self.catalog.cards

    def search(
        self,
        words: str | Iterable[str] = (),
        *,
        task: str | None = None,
        lang: str | None = None,
        annotator: str | None = None,
        label: str | None = None,
        max_size_mb: float | None = None,
        origin: str | None = None,
        limit: int | None = 20,
    ) -> list[Card]:
        """The facts of the cards in which every word begins a word, best first: see `hubclient.catalog.search`. limit: None for all."""
        query = Query(tuple(words.split() if isinstance(words, str) else words), task, lang, annotator, label, max_size_mb, origin)
        return self.catalog.search(query, limit=limit, can_open=can_open)

    def explain(
        self,
        reference: str,
        lang: str | None = None,
        *,
        version: str | None = None,
        source: SourceChoice | None = None,
        revision: str | None = None,
        online: bool = False,
    ) -> Explanation:
        """Why the reference means what it means, and what `pull` would do. online: ask the remote sources whether they have the model."""
        from hubclient.explain import explain

        parsed, choice = self._choose(reference, lang, version, source, revision)
        return explain(self.workshop, parsed, choice, live=partial(self._live_cards, ask=online), online=online)

    def inspect(
        self,
        reference: str,
        lang: str | None = None,
        *,
        version: str | None = None,
        source: SourceChoice | None = None,
        revision: str | None = None,
    ) -> Seen:
        """What the origin says of the model, without its weights: annotator, labels in class order, case, sizes, and where its card says
        otherwise. The store is not looked into."""
        from hubclient.afar.look import look

        return look(self.workshop, *self._choose(reference, lang, version, source, revision))

    def parse(self, reference: str, lang: str | None = None, version: str | None = None, revision: str | None = None) -> Reference:
        """Raises InvalidReference."""
        return parse_reference(reference, lang, version, revision, is_file=os.path.isfile)

    def resolve(self, reference: str, lang: str | None = None, *, version: str | None = None) -> Resolution:
        """The card that answers to a name: the one that `pull` takes. Raises InvalidReference, ResolutionError, CardError."""
        parsed = self.parse(reference, lang, version)
        if not isinstance(parsed, CardReference):
            raise InvalidReference(f"'{parsed}' is not the name of a card", hint="write NAME or fr/NAME")
        return self.catalog.resolve(parsed, can_open=can_open)

    def known(self, reference: CardReference) -> Resolution:
        """What `resolve` gives without asking the live index: for what lies on this machine."""
        return self.catalog.resolve(reference, can_open=can_open, live=False)

    def find(
        self,
        reference: str,
        lang: str | None = None,
        *,
        version: str | None = None,
        source: SourceChoice | None = None,
        revision: str | None = None,
        workshop: Workshop | None = None,
    ) -> Target:
        """What the reference stands for and what `pull` would do; nothing is fetched. workshop: another one than the hub's own."""
        parsed, choice = self._choose(reference, lang, version, source, revision)
        return find(workshop or self.workshop, parsed, choice)

    def pull(
        self,
        reference: str,
        lang: str | None = None,
        *,
        version: str | None = None,
        source: SourceChoice | None = None,
        revision: str | None = None,
    ) -> Path:
        """The native folder of the model, fetched, verified and converted unless the store has it."""
        return obtain(self.workshop, self.find(reference, lang, version=version, source=source, revision=revision)).folder

    def plan_pulls(
        self,
        references: Iterable[str],
        lang: str | None = None,
        *,
        source: SourceChoice | None = None,
        revision: str | None = None,
        keep_archive: bool = False,
    ) -> PullPlan:
        """What `pull_all` would do: which are here, where the others are and how large. Remote sources are asked, unless offline."""
        from hubclient.pulling import plan_pulls

        workshop = replace(self.workshop, keep_archive=keep_archive)
        return plan_pulls(references, lambda reference: self._choose(reference, lang, None, source, revision), workshop)

    def pull_all(
        self,
        references: Iterable[str] | PullPlan,
        lang: str | None = None,
        *,
        source: SourceChoice | None = None,
        revision: str | None = None,
        keep_archive: bool = False,
        done: Callable[[Pulled], None] = lambda pulled: None,
    ) -> list[Pulled]:
        """Have all of these models, several of them fetched and converted at the same time.

        The results are in the order of the references; a model that cannot be had is one with an `error`, and does not stop the others.
        `references` may be what `plan_pulls` gave; keep_archive is then as it was there. keep_archive: keep what is fetched, for `mirror`.
        `done` is told of each as it ends, from any thread. Raises StoreFull before anything is fetched when it cannot all fit.
        """
        from hubclient.pulling import PullPlan, pull_planned

        if isinstance(references, PullPlan):
            plan = references
        else:
            plan = self.plan_pulls(references, lang, source=source, revision=revision, keep_archive=keep_archive)
        return pull_planned(plan, replace(self.workshop, keep_archive=keep_archive), done)

    def bundle(self, references: Iterable[str], to: str | Path | BinaryIO, lang: str | None = None) -> Bundled:
        """Write these models into one file, for machines without a network: `import_` takes them from it. What is not here is pulled first.

        Where not all can be had, there is no file. Raises SomeFailed, or the error if it is one.
        """
        from hubclient.bundles.bundle import bundle

        target = Path(os.path.expanduser(to)) if isinstance(to, str | Path) else to
        return bundle(references, target, lambda reference: self._choose(reference, lang, None, None, None), self.workshop)

    def import_(self, what: str | Path | BinaryIO) -> Iterator[Imported]:
        """Take models into the cache that are on this machine: a bundle, an archive, a native folder, or a folder of them as Spark NLP's
        `~/cache_pretrained`. Nobody is asked for anything.

        One that fails does not stop the others: each is told of as it is done.
        """
        from hubclient.imports.archive import LiveFacts
        from hubclient.imports.bundle import import_bundle
        from hubclient.imports.path import import_path

        if not isinstance(what, str | Path):
            return import_bundle(what, "the bundle", self.workshop)
        live = LiveFacts(partial(self._live_cards, ask=False), self.live.checksum)
        return import_path(Path(os.path.expanduser(what)), self.workshop, live)

    def mirror(self, references: Iterable[str], to: str, lang: str | None = None, *, endpoint: str | None = None) -> Iterator[Mirrored]:
        """Copy the archives of these models under their keys into a folder, or into `s3://BUCKET[/PREFIX]`, with an index of them.

        endpoint: of the bucket's service, the one that models are fetched from unless given. One that fails does not stop the others:
        each is told of as it is done.
        """
        from hubclient.mirror.copy import mirror, place_at

        place = place_at(to, endpoint or self.settings.s3_endpoint, self.settings.limits)
        return mirror((self.parse(reference, lang) for reference in references), place, self.workshop)

    @overload
    def pretrained(self, name: str, lang: str | None = None, *, task: Text = ..., **options: Unpack[Loading]) -> Classifier: ...
    @overload
    def pretrained(self, name: str, lang: str | None = None, *, task: ZeroShot, **options: Unpack[Loading]) -> ZeroShotClassifier: ...
    @overload
    def pretrained(self, name: str, lang: str | None = None, *, task: Token, **options: Unpack[Loading]) -> TokenClassifier: ...
    @overload
    def pretrained(self, name: str, lang: str | None = None, *, task: Task | None, **options: Unpack[Loading]) -> Opened: ...
    def pretrained(
        self,
        name: str,
        lang: str | None = None,
        *,
        version: str | None = None,
        source: SourceChoice | None = None,
        revision: str | None = None,
        task: Task | None = "text-classification",
        **opening: Unpack[Opening],
    ) -> Opened:
        """See the function of this name. task: None opens the model for what it does."""
        check_task(task)
        parsed, choice = self._choose(name, lang, version, source, revision)
        return open_reference(self.workshop, parsed, choice, task, **opening)

    @overload
    def load(self, reference: str, *, task: Text = ..., **options: Unpack[Loading]) -> Classifier: ...
    @overload
    def load(self, reference: str, *, task: ZeroShot, **options: Unpack[Loading]) -> ZeroShotClassifier: ...
    @overload
    def load(self, reference: str, *, task: Token, **options: Unpack[Loading]) -> TokenClassifier: ...
    def load(self, reference: str, *, task: Task = "text-classification", **options: Unpack[Loading]) -> Opened:
        """The classifier of any reference: a name, `hf:OWNER/REPO`, an address, a path, an NLU reference."""
        return self.pretrained(reference, task=task, **options)

    @overload
    def from_archive(self, path: str | Path, *, task: Text = ..., **options: Unpack[Opening]) -> Classifier: ...
    @overload
    def from_archive(self, path: str | Path, *, task: ZeroShot, **options: Unpack[Opening]) -> ZeroShotClassifier: ...
    @overload
    def from_archive(self, path: str | Path, *, task: Token, **options: Unpack[Opening]) -> TokenClassifier: ...
    def from_archive(self, path: str | Path, *, task: Task = "text-classification", **options: Unpack[Opening]) -> Opened:
        """The classifier of a Spark NLP archive on disk: the zip, or the folder that it unpacks to."""
        return self._from_path(path, task, **options)

    @overload
    def from_folder(self, path: str | Path, *, task: Text = ..., **options: Unpack[Opening]) -> Classifier: ...
    @overload
    def from_folder(self, path: str | Path, *, task: ZeroShot, **options: Unpack[Opening]) -> ZeroShotClassifier: ...
    @overload
    def from_folder(self, path: str | Path, *, task: Token, **options: Unpack[Opening]) -> TokenClassifier: ...
    def from_folder(self, path: str | Path, *, task: Task = "text-classification", **options: Unpack[Opening]) -> Opened:
        """The classifier of a folder: a native one is opened in place, a Hugging Face one is converted once, by its content."""
        return self._from_path(path, task, **options)

    def _from_path(self, path: str | Path, task: Task, **opening: Unpack[Opening]) -> Opened:
        check_task(task)
        # A lock is about what is fetched by a name.
        workshop = replace(self.workshop, lock=None)
        return open_reference(workshop, PathReference(str(path)), Choice(), task, **opening)

    def _choose(
        self, reference: str, lang: str | None, version: str | None, source: SourceChoice | None, revision: str | None
    ) -> tuple[Reference, Choice]:
        """A revision belongs to a `hf:` reference; of a card it picks one of its Hugging Face repository."""
        parsed = self.parse(reference, lang, version)
        if isinstance(parsed, CardReference):
            return parsed, Choice(source, revision)
        if source is not None:
            raise InvalidReference(f"'{parsed}' takes no source, and source={source!r} was given", hint="leave source out")
        return self.parse(reference, revision=revision), Choice()


@overload
def pretrained(name: str, lang: str | None = None, *, task: Text = ..., **options: Unpack[Everything]) -> Classifier: ...
@overload
def pretrained(name: str, lang: str | None = None, *, task: ZeroShot, **options: Unpack[Everything]) -> ZeroShotClassifier: ...
@overload
def pretrained(name: str, lang: str | None = None, *, task: Token, **options: Unpack[Everything]) -> TokenClassifier: ...
def pretrained(
    name: str,
    lang: str | None = None,
    *,
    version: str | None = None,
    source: SourceChoice | None = None,
    revision: str | None = None,
    task: Task = "text-classification",
    engine: str | None = None,
    max_length: int | None = None,
    lowercase: bool | None = None,
    activation: str | None = None,
    threshold: float | None = None,
    long_texts: LongTexts | None = None,
    stride: int | None = None,
    pooling: Pooling | None = None,
    cache_dir: str | Path | None = None,
    offline: bool | None = None,
    progress: bool | None = None,
    lock: str | Path | None = None,
) -> Opened:
    """The classifier that a model card's name stands for: fetched, verified and converted the first time, opened from the cache ever after.

    version: a library version or a constraint (">=4.0"). source: "s3" or "hf", that origin alone; revision: of the card's Hugging Face
    repository. task: "text-classification" gives a Classifier, "zero-shot-classification" a ZeroShotClassifier, "token-classification" a
    TokenClassifier. engine, max_length, lowercase, activation, threshold, long_texts, stride, pooling: see `Opening`; what is not given
    comes from the model's own sources. cache_dir, offline, progress, lock: see `Hub`. Raises HubError, see `hubclient.errors`.
    """
    opening = Opening(
        engine=engine,
        max_length=max_length,
        lowercase=lowercase,
        activation=activation,
        threshold=threshold,
        long_texts=long_texts,
        stride=stride,
        pooling=pooling,
    )
    hub = Hub(cache_dir=cache_dir, offline=offline, progress=progress, lock=lock)
    return hub.pretrained(name, lang, version=version, source=source, revision=revision, task=task, **opening)


@overload
def load(reference: str, *, task: Text = ..., **options: Unpack[Everything]) -> Classifier: ...
@overload
def load(reference: str, *, task: ZeroShot, **options: Unpack[Everything]) -> ZeroShotClassifier: ...
@overload
def load(reference: str, *, task: Token, **options: Unpack[Everything]) -> TokenClassifier: ...
def load(
    reference: str,
    *,
    task: Task = "text-classification",
    cache_dir: str | Path | None = None,
    offline: bool | None = None,
    progress: bool | None = None,
    lock: str | Path | None = None,
    **options: Unpack[Loading],
) -> Opened:
    """The classifier of any reference: a name, `hf:OWNER/REPO`, an address, a path, an NLU reference. Options as `pretrained` has them."""
    return Hub(cache_dir=cache_dir, offline=offline, progress=progress, lock=lock).load(reference, task=task, **options)


def pull(
    reference: str,
    lang: str | None = None,
    *,
    version: str | None = None,
    source: SourceChoice | None = None,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    offline: bool | None = None,
    progress: bool | None = None,
    lock: str | Path | None = None,
) -> Path:
    """Fetch, verify and convert a model unless the cache has it, and give its folder. Options as `pretrained` has them."""
    hub = Hub(cache_dir=cache_dir, offline=offline, progress=progress, lock=lock)
    return hub.pull(reference, lang, version=version, source=source, revision=revision)


@overload
def from_archive(path: str | Path, *, task: Text = ..., **options: Unpack[FromDisk]) -> Classifier: ...
@overload
def from_archive(path: str | Path, *, task: ZeroShot, **options: Unpack[FromDisk]) -> ZeroShotClassifier: ...
@overload
def from_archive(path: str | Path, *, task: Token, **options: Unpack[FromDisk]) -> TokenClassifier: ...
def from_archive(
    path: str | Path,
    *,
    task: Task = "text-classification",
    cache_dir: str | Path | None = None,
    progress: bool | None = None,
    **opening: Unpack[Opening],
) -> Opened:
    """The classifier of a Spark NLP archive on disk: the zip, or the folder that it unpacks to. Converted once, by its content."""
    return Hub(cache_dir=cache_dir, progress=progress).from_archive(path, task=task, **opening)


@overload
def from_folder(path: str | Path, *, task: Text = ..., **options: Unpack[FromDisk]) -> Classifier: ...
@overload
def from_folder(path: str | Path, *, task: ZeroShot, **options: Unpack[FromDisk]) -> ZeroShotClassifier: ...
@overload
def from_folder(path: str | Path, *, task: Token, **options: Unpack[FromDisk]) -> TokenClassifier: ...
def from_folder(
    path: str | Path,
    *,
    task: Task = "text-classification",
    cache_dir: str | Path | None = None,
    progress: bool | None = None,
    **opening: Unpack[Opening],
) -> Opened:
    """The classifier of a folder: a native one is opened in place, a Hugging Face one is converted once, by its content."""
    return Hub(cache_dir=cache_dir, progress=progress).from_folder(path, task=task, **opening)
