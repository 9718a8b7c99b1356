"""Alterations of what is shown around sentences, each with the finding that it must give.

The note has three sentences; the second and the third stand under the heading `MEDICATIONS TO STOP:`.
"""

from collections.abc import Callable
from typing import Any

from lxml import etree

from fhir_adapter.audit.findings import Finding
from fhir_adapter.narrative import XHTML
from tests.contract.alterations import Alteration, Change, Resource, drop, on_list, part, spans

AROUND: list[Alteration] = []
_FIRST, _SECOND, _HEADING, _THIRD, _AGAIN = 0, 2, 1, 4, 3
"""Where the extensions of the sentences and of their headings stand."""


def add(name: str, finding: Finding, *changes: Change, by_checker: bool = True) -> None:
    def change(resource: Resource) -> None:
        for one in changes:
            one(resource)

    AROUND.append(Alteration(name, change, finding, by_checker))


def listed(change: Callable[[Any], Any]) -> Change:
    """A change of the narrative's `ol`; its second item holds a heading and a sentence."""
    return lambda resource: on_list(change, resource)


def value(number: int, name: str, change: Callable[[Any], Any]) -> Change:
    def changed(resource: Resource) -> None:
        found = part(spans(resource)[number], name)
        key = next(key for key in found if key.startswith("value"))
        found[key] = change(found[key])

    return changed


def without_extension(resource: Resource) -> None:
    del spans(resource)[_HEADING]


def drop_heading(ol: Any) -> None:
    ol[1].remove(ol[1][0])


def words(text: str) -> Change:
    return listed(lambda ol: setattr(ol[1][0], "text", text))


def kind(code: str) -> Change:
    return listed(lambda ol: ol[1][0].set("class", f"context {code}"))


add("heading with another letter", Finding.CONTEXT_ALTERED, words("MEDICATIONS TO STAP:"))
add("heading turned round", Finding.CONTEXT_ALTERED, words("MEDICATIONS TO START:"))
add("heading in small letters", Finding.CONTEXT_ALTERED, words("medications to stop:"))
add("heading emptied", Finding.CONTEXT_ALTERED, words(""))
add("heading no longer shown", Finding.SPAN_WITHOUT_SENTENCE, listed(drop_heading))
add("heading without offsets", Finding.CONTEXT_ADDED, without_extension)
add(
    "heading dropped without a trace",
    Finding.CONTEXT_MISSING,
    listed(drop_heading),
    without_extension,
    by_checker=False,  # it does not know what belongs to a sentence
)
add("heading at other offsets", Finding.CONTEXT_ALTERED, value(_HEADING, "offset", lambda n: n + 1))
add("heading past the end", Finding.OFFSET_OUTSIDE, value(_HEADING, "offset", lambda _: 99_999))
add("heading of no length", Finding.OFFSET_OUTSIDE, value(_HEADING, "length", lambda _: 0))
add("heading in another place", Finding.WRONG_PLACE, value(_HEADING, "path", lambda path: f"{path}x"))
add(
    "other words of the note for a heading",
    Finding.CONTEXT_MISSING,
    words("No"),
    value(_HEADING, "offset", lambda _: 0),
    value(_HEADING, "length", lambda _: 2),
    by_checker=False,
)
add("kind of the offsets", Finding.CONTEXT_DIFFERS, value(_HEADING, "extract-context", lambda _: "caption"))
add("kind of what is shown", Finding.CONTEXT_DIFFERS, kind("caption"))
add(
    "kind in both places",
    Finding.CONTEXT_DIFFERS,
    kind("caption"),
    value(_HEADING, "extract-context", lambda _: "caption"),
    by_checker=False,
)
add("kind that is none", Finding.SPAN_MALFORMED, value(_HEADING, "extract-context", lambda _: "remark"))
add("kind lost", Finding.SPAN_MALFORMED, lambda resource: drop(spans(resource)[_HEADING], "extract-context"))
add("class lost", Finding.NARRATIVE_CHANGED, listed(lambda ol: ol[1][0].attrib.pop("class")))
add("heading with a score", Finding.SPAN_MALFORMED, lambda resource: _scored(resource))
add("heading behind its sentence", Finding.WRONG_ORDER, listed(lambda ol: ol[1].append(ol[1][0])))
add(
    "heading behind its sentence in both places",
    Finding.WRONG_ORDER,
    listed(lambda ol: ol[1].append(ol[1][0])),
    lambda resource: spans(resource).insert(_SECOND, spans(resource).pop(_HEADING)),
)
add("heading at another sentence", Finding.WRONG_ORDER, listed(lambda ol: ol[0].append(ol[1][0])))
add("heading twice", Finding.DUPLICATE_ID, listed(lambda ol: ol[1].insert(0, _copy(ol[1][0]))))
add("heading struck out", Finding.NARRATIVE_CHANGED, listed(lambda ol: setattr(ol[1][0], "tag", _tag("del"))))
add("heading hidden", Finding.NARRATIVE_CHANGED, listed(lambda ol: ol[1][0].set("style", "display:none")))
add(
    "heading with markup", Finding.NARRATIVE_CHANGED, listed(lambda ol: etree.SubElement(ol[1][0], _tag("b")))
)
add("words between heading and sentence", Finding.NARRATIVE_CHANGED, listed(lambda ol: _tail(ol[1][0])))
add("sentence as context", Finding.NARRATIVE_CHANGED, listed(lambda ol: setattr(ol[0][0], "tag", _tag("i"))))
add(
    "context added",
    Finding.CONTEXT_ADDED,
    listed(lambda ol: ol[0].insert(0, _context("MEDICATIONS TO STOP:", "s1c1"))),
)


def _tag(name: str) -> str:
    return f"{{{XHTML}}}{name}"


def _context(text: str, anchor: str) -> Any:
    element = etree.Element(_tag("i"), {"id": anchor, "class": "context heading"})
    element.text = text
    return element


def _copy(element: Any) -> Any:
    return _context(element.text, element.get("id"))


def _tail(element: Any) -> None:
    element.tail = " never "


def _scored(resource: Resource) -> None:
    score = part(spans(resource)[_SECOND], "extract-score")
    spans(resource)[_HEADING]["extension"].append(dict(score))


def _to_the_first(resource: Resource) -> None:
    """The heading goes to the sentence before it, with ids and offsets that agree."""

    def moved(ol: Any) -> None:
        heading = ol[1][0]
        heading.set("id", "s1c1")
        heading.tail = None
        ol[0].append(heading)

    on_list(moved, resource)
    heading = spans(resource)[_HEADING]
    part(heading, "narrativeLink")["valueUrl"] = "#s1c1"
    heading["id"] = "p1c1"


add("heading moved to the sentence before", Finding.CONTEXT_MISSING, _to_the_first, by_checker=False)


def _cut(resource: Resource) -> None:
    """The first sentence loses its first word, in the narrative and by its offsets."""
    on_list(lambda ol: setattr(ol[0][0], "text", ol[0][0].text.removeprefix("No ")), resource)
    value(_FIRST, "offset", lambda n: n + 3)(resource)
    value(_FIRST, "length", lambda n: n - 3)(resource)


add("sentence without its negation", Finding.SENTENCE_CUT, _cut, by_checker=False)


def as_before(resource: Resource) -> None:
    """The list as versions wrote it that showed no context."""

    def plain(ol: Any) -> None:
        for number, item in enumerate(list(ol), 1):
            text = item[-1].text
            for child in list(item):
                item.remove(child)
            item.text = text
            item.set("id", f"s{number}")

    on_list(plain, resource)
    del spans(resource)[_AGAIN], spans(resource)[_HEADING]


add("list in the form without context", Finding.NARRATIVE_CHANGED, as_before)
add(
    "score of no sentence",
    Finding.SPAN_MALFORMED,
    lambda r: drop(spans(r)[_THIRD], "extract-score"),
    by_checker=False,
)
