"""For each rule a card that it is about: the small good card, spoilt in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hubclient.cards import Overlay
from tests.cards.shared import INFO, USAGE, archive, card_text, links

FILE = "2022-03-04-small_model_en.md"
LOAD = 'BertForSequenceClassification.pretrained("small_model", "en")'
OWNER = "https://huggingface.co/somebody"


@dataclass(frozen=True)
class Case:
    """`line`: what stands on the line that is found, or its number. `says`: what the message names, both values where there are two."""

    code: str
    text: str
    line: str | int
    says: tuple[str, ...] = ()
    path: str = FILE
    overlay: Overlay = field(default_factory=Overlay)

    @property
    def number(self) -> int:
        lines = self.text.removeprefix("\ufeff").splitlines()
        return self.line if isinstance(self.line, int) else next(n for n, line in enumerate(lines, 1) if self.line in line)


def front(code: str, line: str | int, says: tuple[str, ...], /, **fields: str | None) -> Case:
    return Case(code, card_text(front=fields), line, says)


def more(code: str, section: str, line: str, *says: str, **fields: str) -> Case:
    return Case(code, card_text(more=f"## References\n\n{section}\n", front=fields), line, says)


def usage(code: str, code_text: str, line: str, *says: str, **fields: str) -> Case:
    return Case(code, card_text(usage=f"Take it.\n\n```python\nfrom x import y\n{code_text}\n```", front=fields), line, says)


def labels(code: str, section: str | None, line: str | int, *says: str, **fields: str) -> Case:
    return Case(code, card_text(labels=section, front=fields), line, says)


def table(code: str, old: str, new: str, *says: str) -> Case:
    return Case(code, card_text(info=f"{INFO}\n|Type:|x|".replace(old, new)), new, says)


def key(code: str, line: str, *says: str, **parts: str) -> Case:
    """The archive is another; the table says what the archive says, so that it is not the table's matter."""
    name, language, version = parts.get("name", "small_model"), parts.get("language", "en"), parts.get("version", "3.4.2")
    info = INFO.replace("small_model", name).replace("|en|", f"|{language}|").replace("3.4.2", version)
    file = f"{name}_{language}_{version}_{parts.get('spark', '3.0')}_1646352000000.zip"
    return Case(code, card_text(file=file, info=info), line, says)


def changed(code: str, change: Callable[[str], str], line: str | int, *says: str) -> Case:
    return Case(code, change(card_text()), line, says)


def uncased(name: str, case: str) -> str:
    info = INFO.replace("small_model", name).replace("sensitive:|true", f"sensitive:|{case}")
    return card_text(front={"name": name}, file=archive(name), info=info)


OTHER = links(archive("other_model")).splitlines()

CASES = [
    Case("C001", "---\nname: small_model\nlanguage: [en\n---\n", 4, ("YAML",)),
    Case("C001", "# A model\n", 1, ("does not begin with front matter",)),
    front("C001", "date:", ("'soon'",), date="soon"),
    Case("C001", card_text().replace("(s3://", "(s4://"), "Copy S3 URI", ("s4://",)),
    changed("C002", lambda text: "\ufeff" + text, 1),
    changed("C003", lambda text: text.replace("\n", "\r\n"), 1, "carriage return and a line feed"),
    changed("C003", lambda text: text.replace("layout: model\n", "layout: model\r"), 2, "carriage return alone"),
    Case("C004", card_text(), 1, ("'2022-03-04-small_model_fr'", "'small_model_en'"), "docs/_posts/2022-03-04-small_model_fr.md"),
    Case("C004", card_text(), 1, ("'small-model_en'", "'small_model_en'"), "C:\\cards\\small-model_en.md"),
    Case("C004", card_text(), 1, ("'small_model_en_old'",), "small_model_en_old.md"),
    Case("C005", card_text(), "date:", ("'2022-03-04'", "'2022-04-03'"), "2022-04-03-small_model_en_3_0.md"),
    front("C101", 1, ("'annotator'",), annotator=None),
    front("C101", "annotator:", ("'annotator'",), annotator=""),
    front("C102", "name: Small Model", ("'Small Model'",), name="Small Model"),
    front("C103", "date: 04/03/2022", ("'04/03/2022'", "'2022-03-04'"), date="04/03/2022"),
    front("C103", "date: 2022-03-04 00:16", ("'2022-03-04'",), date="2022-03-04 00:16:00 +0800"),
    Case("C104", card_text(front={"spark_version": "3.10"}, file=archive().replace("_3.0_", "_3.10_")), "spark_version:", ("'3.10'",)),
    Case("C104", card_text(front={"language": "no"}, file=archive(language="no"), info=INFO.replace("|en|", "|no|")), "language: no",
         ("'no'", "false"), "small_model_no.md"),
    front("C104", "title: no", ("'no'", "false"), title="no"),
    front("C104", "title: 3.10", ("'3.10'", "3.1"), title="3.10"),
    front("C104", "- on", ("'on'", "true"), tags="\n  - en\n  - 'off'\n  - on"),
    front("C105", 1, ("'edition'",), edition=None),
    front("C105", "tags:", ("'tags'",), tags="[]"),
    front("C106", "edition:", ("'Official'",), edition="Official"),
    front("C107", "deprecated:", ("'deprecated'",), deprecated="true"),
    front("C107", "supported:", ("'supported'", "'a.bucket.with.dots'"), supported="false"),
    Case("C108", card_text().replace("a.bucket.with.dots", "community.johnsnowlabs.com"), "supported:", ("'community.johnsnowlabs.com'",)),
    key("C201", "name: small_model", "'small_model'", "'other_model'", name="other_model"),
    key("C202", "language: en", "'en'", "'fr'", language="fr"),
    key("C203", "edition: Spark NLP 3.4.2", "'3.4.2'", "'3.4.10'", version="3.4.10"),
    key("C204", "spark_version: 3.0", "'3.0'", "'2.4'", spark="2.4"),
    changed("C205", lambda text: text.replace("/public/models/", "/public/old/", 1), "[Download]", "/public/old/", "s3://"),
    changed("C205", lambda text: text.replace("https://s3.amazonaws.com/", "https://example.com/old-", 1).replace("3.4.2_3", "3.4.1_3", 1),
            "[Download]", "3.4.1", "3.4.2"),
    changed("C206", lambda text: text.replace("[Download]", "[Get it]"), "{:.btn-box}"),
    changed("C206", lambda text: text.replace("[Download](", "[Download](two words "), "[Download]"),
    changed("C207", lambda text: text.replace(OTHER[3].replace("other", "small"), ""), "{:.btn-box}"),
    Case("C208", card_text(file="model.zip"), "s3://", ("'model.zip'",)),
    more("C209", OTHER[2], "other_model", "other_model", "small_model"),
    more("C209", OTHER[3], "other_model", "other_model", "small_model"),
    table("C301", "Name:|small_model", "Name:|other_model", "'other_model'", "'small_model'"),
    table("C302", "Language:|en", "Language:|[fr, de]", "'[fr, de]'", "'en'"),
    table("C303", "Spark NLP 3.4.2+", "Spark NLP 3.4.0+", "'Spark NLP 3.4.0+'", "'3.4.2'"),
    table("C304", "sentence", "sentense"),
    Case("C305", uncased("Bert_Uncased_model", "true"), "|Case sensitive", ("'Bert_Uncased_model'", "true"), "Bert_Uncased_model.md"),
    Case("C306", uncased("bert_cased_model", "false"), "|Case sensitive", ("'bert_cased_model'", "false"), "bert_cased_model.md"),
    table("C307", "length:|256", "length:|0", "'0'", "above 0"),
    table("C307", "sensitive:|true", "sensitive:|perhaps", "'perhaps'", "true or false"),
    table("C307", "406.6 MB", "large", "'large'"),
    Case("C308", card_text(info="None."), "## Model Information"),
    labels("C401", None, 1, "'BertForSequenceClassification'"),
    labels("C401", "", "## Predicted Entities", "'NerDLModel'", annotator="NerDLModel", task="Named Entity Recognition"),
    labels("C402", "`score`", "`score`", "'score'"),
    labels("C403", "`a`,\n`b`,\n`c`, `b`", "`b`,", "'b'"),
    labels("C404", "`a`,\n``, `b`", "``, `b`", "2 of 3"),
    labels("C405", "\nGood and bad ones.", "Good and bad"),
    labels("C405", "|---|\n| |", "|---|"),
    labels("C406", "- good\n- bad", "- good", "bullets"),
    labels("C406", "| Label |\n|---|\n| good |\n| bad |", "| good |", "table"),
    labels("C407", "`a`, `b`,\n`c, d`, e`", "`c, d", "`c, d`, e`"),
    usage("C501", LOAD.replace("Bert", "RoBerta"), "RoBertaFor", "'RoBertaForSequenceClassification'", "'BertForSequenceClassification'"),
    usage("C501", LOAD.replace("Bert", "Albert").replace(".pre", "() \\\n  . pre"), ". pretrained(", "'AlbertFor"),
    usage("C502", LOAD.replace("small", "other"), '"other_model"', "'other_model'", "'small_model'"),
    usage("C502", "PretrainedPipeline('other', lang='en')", "Pipeline('other", "'other'", "'small_model'", annotator="PipelineModel"),
    usage("C503", LOAD.replace('"en"', 'lang = "fr"'), 'lang = "fr"', "'fr'", "'en'"),
    front("C504", "task:", ("'Named Entity Recognition'", "'BertForSequenceClassification'"), task="Named Entity Recognition"),
    front("C505", "tags:", ("'roberta'", "'BertForSequenceClassification'"), tags="[en, roberta]"),
    front("C505", "- ner", ("'ner'", "'BertForSequenceClassification'"), tags="\n- en\n- bert\n- ner"),
    front("C506", "class:", ("'ClassifierDLModel'", "'BertForSequenceClassification'"), **{"class": "ClassifierDLModel"}),
    table("C506", "Type:|x", "Model Class:|ClassifierDLModel", "'ClassifierDLModel'", "'BertForSequenceClassification'"),
    Case("C507", card_text(usage="Ask us."), "## How to use"),
    usage("C601", 'nlu.load("en.good")\nnlu.load("en.small.").predict("a")', "en.small.", "'en.small.'", "dot"),
    usage("C601", "nlu.load('en.a b')", "en.a b", "'en.a b'", "space"),
    usage("C601", "nlu.load('')", "nlu.load('')", "empty"),
    more("C602", f"{OWNER}/a\n{OWNER}/b", f"{OWNER}/b", "'somebody/a'", "'somebody/b'"),
    more("C603", "https://huggingface.co/bert-base-cased", "/bert-base-cased", "'bert-base-cased'"),
    more("C701", "Trained with torch.nn.BCEWithLogitsLoss.", "BCEWith", "'BCEWithLogitsLoss'", "no overlay"),
    front("C702", "title:", ("'A Multi-Label model'", "no overlay"), title="A Multi-Label model"),
    more("C702", f"{OWNER}/toxic-multilabel", "toxic-multilabel", "'somebody/toxic-multilabel'"),
    Case("C801", card_text(more="## Results\n\n```bash\nx\n"), "```bash", ("'```bash'",)),
    Case("C801", card_text(usage=USAGE.replace('print("python")\n```', 'print("python")')), "```python", ("'```python'",)),
    Case("C802", card_text(more="## Results\n\n```bash\nx\n{:.h2_title}\n```\n\n{:.x}\n## Cite\n\nx"), "{:.h2_title}", ("'{:.h2_title}'",)),
]  # fmt: skip
