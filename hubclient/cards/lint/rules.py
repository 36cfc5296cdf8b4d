"""Every rule, in one table: what it is called, and the check that applies it.

A code's first digit says what the rule looks at: 0 the file, 1 the front matter, 2 the archive's links, 3 the table, 4 the labels,
5 what the model is said to be, 6 its names elsewhere, 7 its activation, 8 the Markdown, 9 overlays and several cards together.
Codes are for ever: one that is given up is not given out again. docs/lint.md explains each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from hubclient.cards.lint import activation, archive, file, front, labels, layout, references, several, table, usage
from hubclient.cards.lint.finding import Remarks, Rule
from hubclient.cards.lint.several import Outline, PlacedRemark
from hubclient.cards.lint.source import Source

CardCheck = Callable[[Source], Remarks]
TogetherCheck = Callable[[Iterable[Outline]], Iterator[PlacedRemark]]

UNREADABLE = Rule(
    "C001",
    "unreadable",
    "error",
    "The card cannot be read, and no reader knows its model.",
    "Mend what the message names; nothing else of the card is looked at before.",
)
BROKEN_OVERLAY = Rule(
    "C901",
    "broken-overlay",
    "error",
    "An overlay cannot be read, and its model cannot be loaded.",
    "An overlay may hold activation, threshold, max_length and lowercase, and nothing else.",
)
LONE_OVERLAY = Rule(
    "C902",
    "lone-overlay",
    "warning",
    "An overlay belongs to no card of the folders that are looked at, so that nobody reads it.",
    "Call it as the card's file, or as the card's name and language, with the ending .overlay.yaml.",
)

CARD_RULES: Mapping[Rule, CardCheck] = MappingProxyType(
    {
        Rule(
            "C002",
            "byte-order-mark",
            "warning",
            "The file begins with a byte-order mark, behind which other readers find no front matter.",
            "Save the file as UTF-8 without a byte-order mark.",
        ): file.byte_order_mark,
        Rule(
            "C003",
            "line-ends",
            "note",
            "Lines do not end in a line feed alone.",
            "Save the file with Unix line ends.",
        ): file.line_ends,
        Rule(
            "C004",
            "file-name",
            "warning",
            "The file is not called as the card's model: a name that contradicts the card misleads whoever looks for it.",
            "Call the file YEAR-MONTH-DAY-NAME_LANGUAGE.md; the date, and the language with what follows it, may be left out.",
        ): file.file_name,
        Rule(
            "C005",
            "file-date",
            "warning",
            "The date in the file's name is another than the front matter's.",
            "Write the same date in both places.",
        ): file.file_date,
        Rule(
            "C101",
            "no-annotator",
            "warning",
            "The front matter names no annotator, so that nobody knows whether the model can be opened before it is fetched.",
            "Write 'annotator:' with the name of Spark NLP's class.",
        ): front.no_annotator,
        Rule(
            "C102",
            "display-name",
            "error",
            "The front matter's name is one for display: spaces, slashes, colons and @ cannot stand in a reference.",
            "Write the model's identifier in 'name', and the name for display in 'title'.",
        ): front.display_name,
        Rule(
            "C103",
            "date-form",
            "warning",
            "The date is not written YEAR-MONTH-DAY: days and months are mistaken for each other, and time zones move the day.",
            "Write the date as 2022-09-06.",
        ): front.date_form,
        Rule(
            "C104",
            "yaml-value",
            "warning",
            "A text stands without quotes that YAML reads as something else: the version 3.10 as the number 3.1, Norwegian 'no' as false.",
            "Write the text in quotes.",
        ): front.yaml_value,
        Rule(
            "C105",
            "missing-field",
            "warning",
            "The front matter lacks a field by which models are found and shown: title, date, tags, task, edition or spark_version.",
            "Add the field.",
        ): front.missing_field,
        Rule(
            "C106",
            "edition-without-version",
            "warning",
            "The edition tells no library version.",
            "Write the edition as 'Spark NLP 4.1.0'.",
        ): front.edition,
        Rule(
            "C107",
            "withdrawn",
            "note",
            "The model is marked as deprecated, or as not supported though it lies outside of the community's bucket: users are warned.",
            "Leave it if that is meant.",
        ): front.withdrawn,
        Rule(
            "C108",
            "supported-in-community",
            "warning",
            "The model is marked as supported, and its archive lies in the community's bucket, whose models are not.",
            "Write 'supported: false'.",
        ): front.supported_in_community,
        Rule(
            "C201",
            "name-and-key",
            "error",
            "The front matter and the archive's key have different names; the key's is the one that counts.",
            "Write the key's name in the front matter, or link to the right archive.",
        ): archive.name_against_key,
        Rule(
            "C202",
            "language-and-key",
            "error",
            "The front matter and the archive's key have different languages; the key's is the one that counts.",
            "Write the key's language in the front matter, or link to the right archive.",
        ): archive.language_against_key,
        Rule(
            "C203",
            "version-and-key",
            "error",
            "The edition and the archive's key have different library versions; the key's is the one that counts.",
            "Write the key's version in the front matter, or link to the right archive.",
        ): archive.version_against_key,
        Rule(
            "C204",
            "spark-and-key",
            "warning",
            "The front matter's spark_version is not the one in the archive's key.",
            "Write the key's version of Spark in the front matter.",
        ): archive.spark_against_key,
        Rule(
            "C205",
            "links-differ",
            "error",
            "The Download link and the S3 link lead to different archives.",
            "Let both lead to one archive.",
        ): archive.download_against_s3,
        Rule(
            "C206",
            "no-download-link",
            "warning",
            "The card has no Download link.",
            "Write [Download](https://s3.amazonaws.com/BUCKET/KEY.zip) below {:.btn-box}.",
        ): archive.no_download_link,
        Rule(
            "C207",
            "no-s3-link",
            "error",
            "The card has no S3 link, by which the archive's name, versions and place are known.",
            "Write [Copy S3 URI](s3://BUCKET/KEY.zip) below {:.btn-box}.",
        ): archive.no_s3_link,
        Rule(
            "C208",
            "archive-name",
            "warning",
            "The archive is not named as Spark NLP names archives, so that its version and its age are not known.",
            "Name it NAME_LANGUAGE_LIBRARY-VERSION_SPARK-VERSION_MILLISECONDS.zip, as in small_model_en_3.4.2_3.0_1646352000000.zip.",
        ): archive.archive_name,
        Rule(
            "C209",
            "several-links",
            "warning",
            "The card has several Download links, or several S3 links, with different addresses; the first one counts.",
            "Write a card for each archive.",
        ): archive.several_links,
        Rule(
            "C301",
            "name-in-table",
            "warning",
            "The table's 'Model Name' is not the card's name.",
            "Write the same name in both places.",
        ): table.name_in_table,
        Rule(
            "C302",
            "language-in-table",
            "warning",
            "The table's 'Language' is not the card's language.",
            "Write the same language code in both places.",
        ): table.language_in_table,
        Rule(
            "C303",
            "version-in-table",
            "warning",
            "The table's 'Compatibility' is not the card's library version.",
            "Write the same version in both places.",
        ): table.version_in_table,
        Rule(
            "C304",
            "table-spelling",
            "note",
            "'Max sentence length' is misspelt in the table; it is read all the same.",
            "Write 'Max sentence length'.",
        ): table.spelling,
        Rule(
            "C305",
            "uncased-and-case-sensitive",
            "warning",
            "The name says that the model is uncased, and the table that it is case-sensitive.",
            "Write false if the model lower-cases its texts; if the archive says otherwise, state 'lowercase' in an overlay.",
        ): table.uncased_and_case_sensitive,
        Rule(
            "C306",
            "cased-and-case-insensitive",
            "warning",
            "The name says that the model is cased, and the table that it is not case-sensitive.",
            "Write true if the model keeps upper-case letters; if the archive says otherwise, state 'lowercase' in an overlay.",
        ): table.cased_and_case_insensitive,
        Rule(
            "C307",
            "table-value",
            "warning",
            "A value in the table cannot be read: 'Case sensitive', 'Max sentence length' or 'Size'.",
            "Write true or false, a whole number above 0, a number with its unit.",
        ): table.value,
        Rule(
            "C308",
            "no-table",
            "warning",
            "There is no table under 'Model Information'.",
            "Add the section with rows as in |Model Name:|small_model|.",
        ): table.no_table,
        Rule(
            "C401",
            "no-labels",
            "warning",
            "The model has classes, and the card does not name them: nobody finds the model by its labels.",
            "List the labels under 'Predicted Entities', each in backticks.",
        ): labels.no_labels,
        Rule(
            "C402",
            "one-label",
            "warning",
            "The classifier has one label only: it is a regression, or labels are missing.",
            "List every label; for a regression, say in an overlay which activation its score has.",
        ): labels.one_label,
        Rule(
            "C403",
            "duplicate-label",
            "warning",
            "A label stands in the list more than once.",
            "List each label once.",
        ): labels.duplicate_label,
        Rule(
            "C404",
            "empty-label",
            "warning",
            "A label is empty.",
            "Leave it out, or write what is missing.",
        ): labels.empty_label,
        Rule(
            "C405",
            "unreadable-labels",
            "warning",
            "What stands under 'Predicted Entities' is prose, from which no label can be read.",
            "List the labels, each in backticks.",
        ): labels.no_label_is_read,
        Rule(
            "C406",
            "label-form",
            "note",
            "The labels are not just names in backticks; other forms are read as well as they can be.",
            "Write them as `negative`, `positive`.",
        ): labels.form,
        Rule(
            "C407",
            "lone-backtick",
            "warning",
            "A backtick among the labels has no partner, so that the labels around it are misread.",
            "Close every label with a backtick; write a label that holds one between two backticks.",
        ): labels.lone_backtick,
        Rule(
            "C501",
            "class-in-code",
            "error",
            "The code under 'How to use' loads the model with another class than the annotator.",
            "Write the same class in both places.",
        ): usage.class_in_code,
        Rule(
            "C502",
            "other-model-in-code",
            "warning",
            "The code under 'How to use' loads another model than the card's.",
            "Load the card's model by its name.",
        ): usage.other_model_in_code,
        Rule(
            "C503",
            "other-language-in-code",
            "warning",
            "The code under 'How to use' loads the model in another language than the card's.",
            "Write the card's language in the code.",
        ): usage.other_language_in_code,
        Rule(
            "C504",
            "task-and-annotator",
            "warning",
            "The task is that of another kind of model than the annotator.",
            "Write the task that the annotator does.",
        ): usage.task_and_annotator,
        Rule(
            "C505",
            "tags-and-annotator",
            "warning",
            "The tags name another kind of model, or another architecture, than the annotator.",
            "Mend the tags or the annotator.",
        ): usage.tags_and_annotator,
        Rule(
            "C506",
            "class-and-annotator",
            "warning",
            "The front matter's 'class', or the table's 'Model Class', is another class than the annotator.",
            "Write the same class in both places.",
        ): usage.class_and_annotator,
        Rule(
            "C507",
            "no-code",
            "warning",
            "No code under 'How to use' shows how the model is loaded.",
            "Add a code block.",
        ): usage.no_code,
        Rule(
            "C601",
            "nlu-reference",
            "warning",
            "An NLU reference is empty, holds a space or ends in a dot, which is lost or misread where people write it down.",
            "Write words with dots between them, as in en.classify.bert.imdb.",
        ): references.nlu_reference,
        Rule(
            "C602",
            "several-origins",
            "note",
            "The card links to several models on Hugging Face, so that none of them can stand in for the archive.",
            "Link to the one model that this one was made from; leave it if that is not to be had.",
        ): references.several_origins,
        Rule(
            "C603",
            "origin-without-owner",
            "note",
            "A link to a model on Hugging Face names no owner; such addresses only live on as redirections.",
            "Write OWNER/REPO, as in google-bert/bert-base-cased.",
        ): references.origin_without_owner,
        Rule(
            "C701",
            "sigmoid-loss",
            "warning",
            "The card speaks of a loss with sigmoids (BCE), and no overlay says so: the model would be opened with softmax.",
            "Write 'activation: sigmoid' in an overlay beside the card; without one the archive's own setting counts, or softmax.",
        ): activation.sigmoid_loss,
        Rule(
            "C702",
            "multi-label",
            "warning",
            "The card calls the model multi-label, and no overlay says sigmoid: the model would be opened with softmax.",
            "Write 'activation: sigmoid' in an overlay beside the card, if each label has a score of its own.",
        ): activation.multi_label,
        Rule(
            "C801",
            "unclosed-fence",
            "warning",
            "A code fence is never closed, and what follows is shown as code.",
            "Close it with a line of the same marks.",
        ): layout.unclosed_fence,
        Rule(
            "C802",
            "decoration-in-fence",
            "warning",
            "A decoration such as {:.model-param} stands inside a code fence, and is shown as code.",
            "Move it below the fence, or take it out.",
        ): layout.decoration_in_fence,
    }
)

TOGETHER_RULES: Mapping[Rule, TogetherCheck] = MappingProxyType(
    {
        Rule(
            "C903",
            "same-archive",
            "error",
            "Two cards link to one archive.",
            "Link each card to its own archive, or take one card away.",
        ): several.same_archive,
        Rule(
            "C904",
            "same-model",
            "error",
            "Two cards with different archives have one name, language, version and time: one of them hides the other.",
            "Take one of them away, or mend its links.",
        ): several.same_model,
        Rule(
            "C905",
            "case-twins",
            "warning",
            "Two names differ only in the case of their letters: people mistake them, and some file systems cannot hold both.",
            "Call one of them otherwise.",
        ): several.case_twins,
    }
)

RULES: tuple[Rule, ...] = tuple(
    sorted((UNREADABLE, BROKEN_OVERLAY, LONE_OVERLAY, *CARD_RULES, *TOGETHER_RULES), key=lambda rule: rule.code)
)
