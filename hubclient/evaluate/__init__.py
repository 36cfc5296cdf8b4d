"""How well a model does on texts whose labels are known: figures, their certainty, and where it is wrong."""

from hubclient.evaluate.evaluation import Evaluation, Options, evaluate
from hubclient.evaluate.labelled import Example, Form, LabelledFile, Survey
from hubclient.evaluate.subject import Subject, subject_of

__all__ = ["Evaluation", "Example", "Form", "LabelledFile", "Options", "Subject", "Survey", "evaluate", "subject_of"]
