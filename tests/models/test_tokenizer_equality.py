"""Twenty thousand texts for each tokenizer, against what transformers 4.57.1 gave."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from hubclient.models.tokenizer_kinds import KINDS
from tests.models.tokenizer_cases import MANY, SEED, SOME, Case, cases, digest
from tests.models.tokenizer_texts import texts


@pytest.mark.slow
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_many_texts_give_the_ids_of_the_reference(case: Case) -> None:
    kind = KINDS[case.model_type]
    files = kind.build(kind.from_files(case.files), rows=case.size, lowercase=None, max_length=512)
    tokenizer = Tokenizer.from_str(files.tokenizer_json)
    drawn = list(texts(SEED, MANY))
    found = [digest([encoding.ids for encoding in tokenizer.encode_batch(drawn[start : start + SOME])]) for start in range(0, MANY, SOME)]
    assert found == [case.many[start : start + 8] for start in range(0, len(case.many), 8)]
