"""Checks of what a card says its model is: the annotator, against the code under "How to use", the task, the tags and the classes."""

from __future__ import annotations

from hubclient.cards.kinds import foreign_tags, foreign_tasks
from hubclient.cards.lint.calls import PIPELINE, Call, calls
from hubclient.cards.lint.finding import Remark, Remarks, listed, quoted
from hubclient.cards.lint.source import Source

_SECTION = "How to use"
# Both are opened by PretrainedPipeline.
_PIPELINES = {"PipelineModel", "Pipeline", PIPELINE}


def no_code(source: Source) -> Remarks:
    if not source.card.how_to_use:
        yield Remark(source.heading(_SECTION), "no code shows how to use the model")


def class_in_code(source: Source) -> Remarks:
    annotator = source.card.annotator
    if not annotator:
        return
    same = _PIPELINES if annotator in _PIPELINES else {annotator}
    others = [call for call in _own_calls(source) if call.class_ not in same]
    if others:
        classes = list(dict.fromkeys(call.class_ for call in others))
        message = f"the code loads the model with {listed(classes)}, and the annotator is {quoted(annotator)}"
        yield Remark(_line(source, others[0]), message)


def other_model_in_code(source: Source) -> Remarks:
    """Code may load embeddings and the like besides; what the card is about is what is loaded with its own class."""
    card = source.card
    wanted = _PIPELINES if card.annotator in (_PIPELINES | {None}) else {card.annotator}
    loaded = [call for call in source.calls if call.class_ in wanted]
    if loaded and not any(call.name in (card.model_name, card.name) for call in loaded):
        message = f"the code loads {quoted(loaded[0].name)}, and the card is of {quoted(card.model_name)}"
        yield Remark(_line(source, loaded[0]), message)


def other_language_in_code(source: Source) -> Remarks:
    card = source.card
    for call in _own_calls(source):
        if call.language and call.language not in (card.model_language, card.language):
            message = f"the code loads the model in {quoted(call.language)}, and the card's language is {quoted(card.model_language)}"
            yield Remark(_line(source, call), message)
            return


def task_and_annotator(source: Source) -> Remarks:
    card = source.card
    foreign = foreign_tasks(card.annotator, card.task)
    if foreign:
        line = source.front.line_of("task", foreign[0])
        yield Remark(line, f"the task is {listed(foreign)}, and the annotator is {quoted(card.annotator or '')}")


def tags_and_annotator(source: Source) -> Remarks:
    card = source.card
    foreign = foreign_tags(card.annotator, card.tags)
    if foreign:
        line = source.front.line_of("tags", foreign[0])
        yield Remark(line, f"the tags say {listed(foreign)}, and the annotator is {quoted(card.annotator or '')}")


def class_and_annotator(source: Source) -> Remarks:
    card = source.card
    if card.annotator and card.class_ and card.class_ != card.annotator:
        message = f"the front matter's class is {quoted(card.class_)}, and its annotator {quoted(card.annotator)}"
        yield Remark(source.front.line("class"), message)
    in_table = card.model_info.get("Model Class")
    if card.annotator and in_table and in_table.strip("`") != card.annotator:
        message = f"the table's 'Model Class' is {quoted(in_table)}, and the annotator is {quoted(card.annotator)}"
        yield Remark(source.row("Model Class"), message)


def _own_calls(source: Source) -> list[Call]:
    return [call for call in source.calls if call.name in (source.card.model_name, source.card.name)]


def _line(source: Source, call: Call) -> int:
    """Where the same call stands in the section, of which the code is only a part."""
    lines = list(source.numbered(_SECTION))
    text = "\n".join(line for _, line in lines)
    found = next((other for other in calls(text) if other[:-1] == call[:-1]), None)
    return lines[text.count("\n", 0, found.at)][0] if found else source.heading(_SECTION)
