"""Ways to alter a Composition, each a small function with a name, and the finding that it must give.

The independent checker must find them as well, but for the few that are not `by_checker`.
"""

import unicodedata
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from lxml import etree

from fhir_adapter.audit.findings import Finding
from fhir_adapter.narrative import XHTML

Resource = dict[str, Any]
Change = Callable[[Resource], None]


@dataclass(frozen=True, slots=True)
class Alteration:
    name: str
    change: Change
    finding: Finding
    by_checker: bool

    def of(self, resource: Resource) -> Resource:
        altered = deepcopy(resource)
        self.change(altered)
        assert altered != resource, f"{self.name} changes nothing"
        return altered


ALL: list[Alteration] = []


def alteration(finding: Finding, *, by_checker: bool = True) -> Callable[[Change], Change]:
    def registered(change: Change) -> Change:
        ALL.append(Alteration(change.__name__, change, finding, by_checker))
        return change

    return registered


def add(name: str, change: Change, finding: Finding, *, by_checker: bool = True) -> None:
    ALL.append(Alteration(name, change, finding, by_checker))


def section(resource: Resource) -> Resource:
    found: Resource = resource["section"][0]
    return found


def spans(resource: Resource) -> list[Resource]:
    found: list[Resource] = section(resource)["extension"]
    return found


def part(holder: Resource, name: str) -> Resource:
    return next(p for p in holder["extension"] if p["url"].split("/")[-1] == name)


def fact(resource: Resource, name: str) -> Resource:
    return part(resource["extension"][0], name)


def drop(holder: Resource, name: str) -> None:
    holder["extension"].remove(part(holder, name))


def on_list(change: Callable[[Any], None], resource: Resource) -> None:
    """Changes the narrative's `ol` element."""
    narrative = section(resource)["text"]
    div = etree.fromstring(narrative["div"])
    change(div[0])
    narrative["div"] = etree.tostring(div, encoding="unicode")


def on_text(change: Callable[[str], str], item: int, resource: Resource) -> None:
    def changed(ol: Any) -> None:
        ol[item][0].text = change(ol[item][0].text)

    on_list(changed, resource)


def add_text(name: str, change: Callable[[str], str], items: tuple[int, ...] = (0, 1, 2)) -> None:
    """An alteration of the words of each of these sentences."""
    for item in items:
        add(f"{name} in sentence {item + 1}", _text_change(change, item), Finding.SENTENCE_ALTERED)


def _text_change(change: Callable[[str], str], item: int) -> Change:
    return lambda resource: on_text(change, item, resource)


# Sentences of the notes: each has a, a digit, an accent; the first begins with `No`.
add_text("letter a for o", lambda s: s.replace("a", "o", 1))
add_text("last character lost", lambda s: s[:-1])
add_text("first character lost", lambda s: s[1:])
add_text("middle character lost", lambda s: s[:9] + s[10:])
add_text("full stop added", lambda s: s + ".")
add_text("no-break space", lambda s: s.replace(" ", "\u00a0", 1))
add_text("zero-width space", lambda s: s[:3] + "\u200b" + s[3:])
add_text("soft hyphen", lambda s: s[:3] + "\u00ad" + s[3:])
add_text("right-to-left override", lambda s: s[:3] + "\u202e" + s[3:])
add_text("Cyrillic a", lambda s: s.replace("a", "\u0430", 1))
add_text("Greek omicron", lambda s: s.replace("o", "\u03bf", 1))
add_text("mathematical a", lambda s: s.replace("a", "\U0001d44e", 1))
add_text("decomposed accents", lambda s: unicodedata.normalize("NFD", s))
add_text("accents lost", lambda s: unicodedata.normalize("NFD", s).encode("ascii", "ignore").decode())
add_text(
    "full-width digits",
    lambda s: s.translate({code: code + 0xFEE0 for code in range(ord("0"), ord("9") + 1)}),
)
add_text(
    "digits one higher",
    lambda s: s.translate({ord(str(d)): str((d + 1) % 10) for d in range(10)}),
)
add_text("upper case", str.upper)
add_text("combining mark added", lambda s: s[:2] + "\u0301" + s[2:])
add_text("negation lost", lambda s: s.replace("No ", "", 1), (0,))
add_text("decimal point moved", lambda s: s.replace("38.5", "3.85"), (0,))
add_text("unit changed", lambda s: s.replace("mg", "g"), (2,))
add_text("sentence replaced", lambda _: "Discharge to hospice.")


@alteration(Finding.SENTENCE_ALTERED)
def texts_of_two_sentences_swapped(resource: Resource) -> None:
    def swap(ol: Any) -> None:
        ol[0][0].text, ol[1][0].text = ol[1][0].text, ol[0][0].text

    on_list(swap, resource)


@alteration(Finding.WRONG_ORDER)
def items_swapped(resource: Resource) -> None:
    on_list(lambda ol: ol.insert(0, ol[1]), resource)


@alteration(Finding.WRONG_ORDER)
def items_reversed(resource: Resource) -> None:
    def turn(ol: Any) -> None:
        ol[:] = list(ol)[::-1]

    on_list(turn, resource)


@alteration(Finding.WRONG_ORDER)
def spans_reversed(resource: Resource) -> None:
    spans(resource).reverse()


@alteration(Finding.WRONG_ORDER)
def items_and_spans_swapped_together(resource: Resource) -> None:
    items_swapped(resource)
    spans(resource).insert(0, spans(resource).pop(1))


@alteration(Finding.WRONG_ORDER)
def items_and_spans_swapped_and_renumbered(resource: Resource) -> None:
    items_and_spans_swapped_together(resource)

    def renumber(ol: Any) -> None:
        for number, item in enumerate(ol, 1):
            item[0].set("id", f"s{number}")

    on_list(renumber, resource)
    for number, span in enumerate(spans(resource), 1):
        part(span, "narrativeLink")["valueUrl"] = f"#s{number}"


def _without_item(number: int) -> Change:
    return lambda resource: on_list(lambda ol: ol.remove(ol[number]), resource)


def _without_span(number: int) -> Change:
    return lambda resource: spans(resource).__delitem__(number)


def _without_both(number: int) -> Change:
    def change(resource: Resource) -> None:
        _without_item(number)(resource)
        _without_span(number)(resource)

    return change


for index in range(3):
    add(f"item {index + 1} deleted", _without_item(index), Finding.SPAN_WITHOUT_SENTENCE)
    add(f"span {index + 1} deleted", _without_span(index), Finding.SPAN_MISSING)
for index in range(2):
    add(f"item and span {index + 1} deleted", _without_both(index), Finding.SENTENCE_REMOVED)


@alteration(Finding.SPAN_MISSING)
def all_spans_deleted(resource: Resource) -> None:
    del section(resource)["extension"]


def _with_item(text: str, anchor: str | None, at: int) -> Change:
    def changed(ol: Any) -> None:
        item = etree.Element(f"{{{XHTML}}}li")
        sentence = etree.SubElement(item, f"{{{XHTML}}}span")
        sentence.text = text
        if anchor:
            sentence.set("id", anchor)
        ol.insert(at, item)

    return lambda resource: on_list(changed, resource)


add("item added at the end", _with_item("Aspirin.", "s4", 3), Finding.SENTENCE_ADDED)
add("item added in front", _with_item("Aspirin.", "s0", 0), Finding.SENTENCE_ADDED)
add("item added with a far number", _with_item("Aspirin.", "s9", 1), Finding.SENTENCE_ADDED)
add("item added without id", _with_item("Aspirin.", None, 3), Finding.SENTENCE_ADDED)
add("item added of the source", _with_item("Home tomorrow.", "s4", 3), Finding.SPAN_MISSING)
add("item added under an id that is there", _with_item("Aspirin.", "s1", 1), Finding.DUPLICATE_ID)
add("empty item added", _with_item("", "s4", 3), Finding.SENTENCE_ADDED)


def add_markup(name: str, change: Callable[[Any], None]) -> None:
    add(name, lambda resource: on_list(change, resource), Finding.NARRATIVE_CHANGED)


def _child(tag: str, text: str, at: int | None = None) -> Callable[[Any], None]:
    """An element around the first words of the first item, or beside the list."""

    def change(ol: Any) -> None:
        element = etree.Element(f"{{{XHTML}}}{tag}")
        element.text = text
        if at is None:
            sentence = ol[0][0]
            sentence.text, element.tail = "", (sentence.text or "")[len(text) :]
            sentence.insert(0, element)
        else:
            ol.getparent().insert(at, element)

    return change


def _tail(ol: Any) -> None:
    ol[0].tail = "And stop aspirin."


def _lead(ol: Any) -> None:
    ol.getparent().text = "Not to be trusted:"


def _after(ol: Any) -> None:
    ol.tail = "Unless the patient objects."


add_markup("words struck out", _child("del", "No"))
add_markup("words in bold", _child("b", "No"))
add_markup("paragraph in front", _child("p", "Stop aspirin.", 0))
add_markup("paragraph behind", _child("p", "Stop aspirin.", 1))
add_markup("second list", _child("ol", "", 1))
add_markup("text between items", _tail)
add_markup("text in front of the list", _lead)
add_markup("text behind the list", _after)
add_markup("sentence hidden by style", lambda ol: ol[1][0].set("style", "display:none"))
add_markup("sentence with a class", lambda ol: ol[1][0].set("class", "wrong"))
add_markup("text before a sentence", lambda ol: setattr(ol[1], "text", "Not so: "))
add_markup("text after a sentence", lambda ol: setattr(ol[1][0], "tail", " Not so."))
add_markup("item hidden by style", lambda ol: ol[1].set("style", "display:none"))
add_markup("list hidden by style", lambda ol: ol.set("style", "display:none"))
add_markup("item with a class", lambda ol: ol[1].set("class", "wrong"))
add_markup("comment in an item", lambda ol: ol[0].append(etree.Comment("wrong")))
add_markup("unordered list", lambda ol: setattr(ol, "tag", f"{{{XHTML}}}ul"))


@alteration(Finding.SPAN_WITHOUT_SENTENCE)
def item_renumbered(resource: Resource) -> None:
    on_list(lambda ol: ol[2][0].set("id", "s7"), resource)


@alteration(Finding.SPAN_WITHOUT_SENTENCE)
def narrative_emptied(resource: Resource) -> None:
    section(resource)["text"]["div"] = f'<div xmlns="{XHTML}">-</div>'
