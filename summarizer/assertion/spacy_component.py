"""The assertion rules in spaCy: its own Matcher over the same patterns, and a component for a pipeline.

What runs over notes at work is `summarizer.assertion.matcher`, which needs no spaCy; this is for whoever
works in spaCy already. The tests hold the two equal over every rule and every marked passage.
"""

from collections.abc import Sequence

from spacy.language import Language
from spacy.matcher import Matcher
from spacy.tokens import Doc, Span
from spacy.util import get_lang_class

from summarizer.assertion.context import flags_of_matches
from summarizer.assertion.matcher import Match
from summarizer.assertion.rules import Rule, modifiers
from summarizer.assertion.words import START, tokens
from summarizer.types import Flag

COMPONENT = "clinical_assertion"


class SpacyRuleMatcher:
    """All matches of a set of rules over the words of a statement, by spaCy's Matcher."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._vocab = get_lang_class("en")().vocab
        self._matcher = Matcher(self._vocab)
        for number, rule in enumerate(rules):
            patterns = [[element.spacy() for element in pattern] for pattern in rule.patterns]
            self._matcher.add(str(number), patterns)

    def __call__(self, words: Sequence[str]) -> list[Match]:
        """As `summarizer.assertion.matcher.RuleMatcher`."""
        doc = Doc(self._vocab, words=list(words))
        found = {(start, end, int(self._vocab.strings[key])) for key, start, end in self._matcher(doc)}
        return [Match(*each) for each in sorted(found)]


class ClinicalAssertion:
    """spaCy component: sets `span._.assertions` of each sentence, from its own words.

    The sentences are those of `doc.spans["sentences"]` (the component `clinical_sentences`), else
    `doc.sents`. The words are cut as the rules cut them, not as the pipeline's tokenizer does.
    """

    def __init__(self) -> None:
        self._matcher = SpacyRuleMatcher(modifiers())
        if not Span.has_extension("assertions"):
            Span.set_extension("assertions", default=())

    def __call__(self, doc: Doc) -> Doc:
        """Annotate a document in place and return it."""
        sentences = doc.spans.get("sentences", doc.sents)
        for sentence in sentences:
            words = [START, *tokens(sentence.text)]
            found = flags_of_matches(words, 1, self._matcher(words))
            sentence._.assertions = tuple(flag for flag in Flag if flag in found)
        return doc


@Language.factory(COMPONENT)
def _create(nlp: Language, name: str) -> ClinicalAssertion:
    """The component as spaCy's registry makes it."""
    return ClinicalAssertion()
