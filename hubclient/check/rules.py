"""Every rule, in one table: its code, its name, its verdict, and what to do.

A code's first digit says what was looked at: 0 what names the model, 1 whether it is there, 2 its size and ETag, 3 its facts, 4 its
bytes, 5 whether it opens, 6 what it answers, 9 whether anybody could tell. Codes are for ever: one that is given up is not given
out again. docs/check.md explains each.
"""

from __future__ import annotations

from hubclient.check.finding import Rule

UNSCANNED = Rule(
    "A001",
    "unscanned-file",
    "unknown",
    "note",
    "A file could not be searched for models.",
    "Mend the file, or leave it out with --exclude.",
)
DYNAMIC = Rule(
    "A002",
    "dynamic-reference",
    "unknown",
    "note",
    "The name of a model is worked out when the program runs, so that nobody knows it before.",
    "Write the name as a text or a constant, or check it by name: hub check NAME.",
)
DEFAULT_MODEL = Rule(
    "A003",
    "default-model",
    "unknown",
    "note",
    "A call names no model, and gets the annotator's default, which may be another one with the next version of the library.",
    "Write the name and the language of the model.",
)
INVALID_REFERENCE = Rule(
    "A004",
    "invalid-reference",
    "invalid",
    "error",
    "This names no model: it is no reference.",
    "Write NAME, fr/NAME, NAME@3.3.2, hf:OWNER/REPO or s3://BUCKET/KEY.zip.",
)
UNREADABLE_CARD = Rule(
    "A005",
    "unreadable-card",
    "invalid",
    "error",
    "A card cannot be read, so that its model is not known.",
    "hub lint says what is wrong with the card.",
)
NO_ARCHIVE = Rule(
    "A006",
    "no-archive",
    "invalid",
    "error",
    "A card does not say where its archive lies.",
    "Link to the archive in the card: hub lint says how.",
)
AMBIGUOUS = Rule(
    "A007",
    "ambiguous-reference",
    "invalid",
    "error",
    "The reference has several meanings, and none is the usual one.",
    "Write the language, or the version, of the one that is meant.",
)
LOCAL_PATH = Rule(
    "A008",
    "local-path",
    "unknown",
    "note",
    "A model is named by a path, which is looked up where the program runs.",
    "Nothing, if that is meant.",
)
UNKNOWN_NLU_REFERENCE = Rule(
    "A009",
    "unknown-nlu-reference",
    "unknown",
    "note",
    "No card tells of this NLU reference; NLU has references of its own.",
    "Write the name of the model instead: hub search finds models.",
)
OTHER_FOLDER = Rule(
    "A010",
    "other-folder",
    "unknown",
    "note",
    "Spark NLP is told to look in a folder of which no card and no index tells.",
    "Nothing, if that is meant: models that need a licence are in no public list.",
)

AVAILABLE = Rule(
    "A100",
    "available",
    "available",
    "none",
    "Everything that was looked at is as it should be.",
    "Nothing.",
)
UNKNOWN_MODEL = Rule(
    "A101",
    "no-such-model",
    "gone",
    "error",
    "No card and no index knows a model of this name, language and version.",
    "Mend the name: hub search finds models.",
)
GONE = Rule(
    "A102",
    "gone",
    "gone",
    "error",
    "The service says that there is no such object.",
    "Choose another version or another model; who has pinned it by hash finds it with hub sync in a mirror or a cache.",
)
FORBIDDEN = Rule(
    "A103",
    "forbidden",
    "forbidden",
    "error",
    "The service refuses to give it.",
    "Give credentials that may read it, or choose another model.",
)

SIZE_CHANGED = Rule(
    "A201",
    "size-changed",
    "changed",
    "error",
    "The object has another length than the lock or the live index says.",
    "If the new one is meant: hub lock --update NAME.",
)
ETAG_CHANGED = Rule(
    "A202",
    "etag-changed",
    "changed",
    "error",
    "The object was replaced since: its ETag is another.",
    "If the new one is meant: hub lock --update NAME.",
)
SIZE_UNLIKE_CARD = Rule(
    "A203",
    "size-unlike-card",
    "changed",
    "error",
    "The object is larger or smaller than the card says, by more than rounding explains.",
    "Mend the size on the card, or the link.",
)

BROKEN_ARCHIVE = Rule(
    "A301",
    "broken-archive",
    "invalid",
    "error",
    "What is there is no archive of a model, or a damaged one.",
    "Tell those who published it; choose another version.",
)
LABELS_DIFFER = Rule(
    "A302",
    "labels-differ",
    "changed",
    "error",
    "The model's labels are not those of the card or of the lock.",
    "Mend the card; if the new labels are meant: hub lock --update NAME.",
)
CASE_DIFFERS = Rule(
    "A303",
    "case-differs",
    "changed",
    "error",
    "The model treats upper case otherwise than the card or the lock says.",
    "Mend the card; if the new model is meant: hub lock --update NAME.",
)
MAX_LENGTH_DIFFERS = Rule(
    "A304",
    "max-length-differs",
    "changed",
    "error",
    "The model's longest text is not what the card or the lock says.",
    "Mend the card; if the new model is meant: hub lock --update NAME.",
)
LANGUAGE_DIFFERS = Rule(
    "A305",
    "language-differs",
    "changed",
    "error",
    "The model's language is not what the card or the lock says.",
    "Mend the card; if the new model is meant: hub lock --update NAME.",
)
ANNOTATOR_DIFFERS = Rule(
    "A306",
    "annotator-differs",
    "changed",
    "error",
    "The model is of another class than the card, the code or the lock says.",
    "Load it with its own class, or mend the card.",
)

HASH_CHANGED = Rule(
    "A401",
    "hash-changed",
    "changed",
    "error",
    "The bytes are not those of the lock.",
    "Trust nothing of it before you know why; if the new one is meant: hub lock --update NAME.",
)
NO_HASH = Rule(
    "A402",
    "no-hash",
    "unknown",
    "note",
    "No lock has a hash of this model, so that its bytes were held against nothing.",
    "Pin it: hub lock NAME.",
)

UNOPENED = Rule(
    "A501",
    "does-not-open",
    "invalid",
    "error",
    "The model was fetched, and cannot be opened.",
    "Choose another version or another model: hub search finds them.",
)
OTHER_KIND = Rule(
    "A502",
    "other-kind",
    "unknown",
    "note",
    "Models of this annotator are none that hubclient opens, so that nobody tried.",
    "Nothing: it was loaded with Spark NLP, which opens it.",
)

ANSWERS_DIFFER = Rule(
    "A601",
    "answers-differ",
    "changed",
    "error",
    "The model answers the lock's canary texts otherwise than it did.",
    "If the new model is meant: hub lock --update NAME.",
)
NO_ANSWERS = Rule(
    "A602",
    "no-answers",
    "unknown",
    "note",
    "No lock has answers of this model to compare with.",
    "Pin it: hub lock NAME.",
)

UNREACHABLE = Rule(
    "A901",
    "unreachable",
    "unknown",
    "warning",
    "Nobody answered, so that nothing is known of the model.",
    "Run it again later; look at the network, the proxy and the name of the host.",
)
SERVER_TROUBLE = Rule(
    "A902",
    "server-trouble",
    "unknown",
    "warning",
    "The service is in trouble, or has had enough of us, so that nothing is known of the model.",
    "Run it again later, or slower: --rate.",
)
OFFLINE = Rule(
    "A903",
    "offline",
    "unknown",
    "warning",
    "Nobody may be asked offline, and what this machine has does not tell.",
    "Run it with a connection.",
)
CREDENTIALS = Rule(
    "A904",
    "credentials",
    "unknown",
    "warning",
    "The service does not accept the credentials that it was given, so that nothing is known of the model.",
    "Correct or unset them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, HF_TOKEN; look at the clock of the machine.",
)

RULES: tuple[Rule, ...] = (
    UNSCANNED,
    DYNAMIC,
    DEFAULT_MODEL,
    INVALID_REFERENCE,
    UNREADABLE_CARD,
    NO_ARCHIVE,
    AMBIGUOUS,
    LOCAL_PATH,
    UNKNOWN_NLU_REFERENCE,
    OTHER_FOLDER,
    AVAILABLE,
    UNKNOWN_MODEL,
    GONE,
    FORBIDDEN,
    SIZE_CHANGED,
    ETAG_CHANGED,
    SIZE_UNLIKE_CARD,
    BROKEN_ARCHIVE,
    LABELS_DIFFER,
    CASE_DIFFERS,
    MAX_LENGTH_DIFFERS,
    LANGUAGE_DIFFERS,
    ANNOTATOR_DIFFERS,
    HASH_CHANGED,
    NO_HASH,
    UNOPENED,
    OTHER_KIND,
    ANSWERS_DIFFER,
    NO_ANSWERS,
    UNREACHABLE,
    SERVER_TROUBLE,
    OFFLINE,
    CREDENTIALS,
)
"""By codes."""
