"""Alterations of what rules found, of what is left out, and of what is said of the reading.

The note has an allergy under its heading, a second one that it denies, and a code status: three lines that
rules find, `r1` and `r2` of allergies, `r3` of the code status; and a plan of which nothing is chosen.
"""

from collections.abc import Callable
from typing import Any

from lxml import etree

from fhir_adapter.audit.findings import Finding
from fhir_adapter.narrative import XHTML
from tests.contract.alterations import Alteration, Change, Resource, part

RULED: list[Alteration] = []
NOTE = (
    "ASSESSMENT:\nPneumonia of the left lower lobe. Improving on ceftriaxone. Afebrile since Monday.\n"
    "ALLERGIES:\nPenicillin gives her hives.\nNo allergy to latex.\n"
    "CODE STATUS:\nDNR, as she signed on 3 May.\n"
    "PLAN:\nHome tomorrow.\n"
)


def add(name: str, finding: Finding, *changes: Change, by_checker: bool = True) -> None:
    def change(resource: Resource) -> None:
        for one in changes:
            one(resource)

    RULED.append(Alteration(name, change, finding, by_checker))


def spans(resource: Resource) -> list[Resource]:
    """The offsets of the lines and of their context."""
    return [e for e in _extensions(resource) if e["url"].endswith("/derivation-reference")]


def rules(resource: Resource) -> list[Resource]:
    return [e for e in _extensions(resource) if e["url"].endswith("/pinned-rule")]


def _extensions(resource: Resource) -> list[Resource]:
    found: list[Resource] = resource["section"][1]["extension"]
    return found


def lines(resource: Resource) -> list[Resource]:
    return [span for span in spans(resource) if "c" not in part(span, "narrativeLink")["valueUrl"]]


def listed(change: Callable[[Any], object]) -> Change:
    """A change of the `ol` of what rules found; an item holds our words, context and line."""

    def changed(resource: Resource) -> None:
        narrative = resource["section"][1]["text"]
        div = etree.fromstring(narrative["div"])
        change(div[0])
        narrative["div"] = etree.tostring(div, encoding="unicode")

    return changed


def line_of(item: Any) -> Any:
    return next(child for child in item if child.tag == f"{{{XHTML}}}span")


def words(number: int, text: str) -> Change:
    return listed(lambda ol: setattr(line_of(ol[number]), "text", text))


def head(number: int, text: str) -> Change:
    return listed(lambda ol: setattr(ol[number][0], "text", text))


def value(holder: Callable[[Resource], Resource], name: str, change: Callable[[Any], Any]) -> Change:
    def changed(resource: Resource) -> None:
        found = part(holder(resource), name)
        key = next(key for key in found if key.startswith("value"))
        found[key] = change(found[key])

    return changed


def of_line(number: int, name: str, change: Callable[[Any], Any]) -> Change:
    return value(lambda resource: lines(resource)[number], name, change)


def of_rule(number: int, name: str, change: Callable[[Any], Any]) -> Change:
    return value(lambda resource: rules(resource)[number], name, change)


def without_section(resource: Resource) -> None:
    del resource["section"][1]


def without_line(number: int) -> Change:
    """An item with its offsets, nothing else changed."""

    def changed(resource: Resource) -> None:
        listed(lambda ol: ol.remove(ol[number]))(resource)
        name = f"#r{number + 1}"
        for span in spans(resource):
            if part(span, "narrativeLink")["valueUrl"].partition("c")[0] == name:
                _extensions(resource).remove(span)

    return changed


def without_last_rule(resource: Resource) -> None:
    """The code status is gone with its line, its offsets and its rule: nothing that is left shows it."""
    without_line(2)(resource)
    _extensions(resource).remove(rules(resource)[1])


def to_other_rule(resource: Resource) -> None:
    of_line(1, "extract-rule", lambda address: address.replace("allergies", "code-status"))(resource)


def swapped(resource: Resource) -> None:
    """The two allergies change places, with ids that agree."""

    def turn(ol: Any) -> None:
        ol.insert(0, ol[1])
        for number, item in enumerate(ol, 1):
            for child in item:
                if child.get("id"):
                    child.set("id", f"r{number}" + child.get("id")[2:])

    listed(turn)(resource)
    first, second = ([s for s in spans(resource) if _number(s) == n] for n in "12")
    others = [e for e in _extensions(resource) if e not in first + second]
    for some, number in ((first, "2"), (second, "1")):
        for span in some:
            link = part(span, "narrativeLink")
            link["valueUrl"] = f"#r{number}{link['valueUrl'][3:]}"
    keep = len(rules(resource))
    resource["section"][1]["extension"] = [*others[:keep], *second, *first, *others[keep:]]


def _number(span: Resource) -> str:
    return str(part(span, "narrativeLink")["valueUrl"][2])


def among_the_sentences(resource: Resource) -> None:
    """A line is put among the sentences, which is to say that the model chose it."""
    moved = lines(resource)[0]
    part(moved, "narrativeLink")["valueUrl"] = "#s4"
    _extensions(resource).remove(moved)
    resource["section"][0]["extension"].append(moved)


def left_out(resource: Resource) -> Resource:
    return next(e for e in resource["extension"] if e["url"].endswith("/left-out"))


def without_left_out(resource: Resource) -> None:
    resource["extension"].remove(left_out(resource))


def without_its_sections(resource: Resource) -> None:
    found = left_out(resource)
    found["extension"] = [p for p in found["extension"] if p["url"] != "section"]


def another_title(resource: Resource) -> None:
    section = next(p for p in left_out(resource)["extension"] if p["url"] == "section")
    part(section, "title")["valueString"] = "VITAL SIGNS"


def remark(resource: Resource) -> None:
    found = next(e for e in resource["extension"] if e["url"].endswith("/source-text"))
    found["extension"].append({"url": "notice", "valueString": "text on 1 of 9 pages"})


def caption(before: str, after: str) -> Change:
    def changed(resource: Resource) -> None:
        resource["text"]["div"] = resource["text"]["div"].replace(before, after)

    return changed


add("word of a line", Finding.SENTENCE_ALTERED, words(0, "Penicillin gives her headaches."))
add("negation of a line", Finding.SENTENCE_ALTERED, words(1, "Allergy to latex."))
add("line emptied", Finding.SENTENCE_ALTERED, words(2, ""))
add("line at other offsets", Finding.SENTENCE_ALTERED, of_line(0, "offset", lambda n: n + 1))
add("line past the end", Finding.OFFSET_OUTSIDE, of_line(0, "offset", lambda _: 99_999))
add("line no longer shown", Finding.SPAN_WITHOUT_SENTENCE, listed(lambda ol: ol.remove(ol[0])))
add("line without offsets", Finding.SPAN_MISSING, lambda r: _extensions(r).remove(lines(r)[2]))
add("line dropped", Finding.SENTENCE_REMOVED, without_line(0))
add("line dropped at the end", Finding.PINNED_DIFFERS, without_line(2))
add("rule dropped with its line", Finding.PINNED_MISSING, without_last_rule, by_checker=False)
add("all lines dropped", Finding.PINNED_MISSING, without_section, by_checker=False)
add("lines swapped", Finding.WRONG_ORDER, swapped)
add("line of another rule", Finding.PINNED_DIFFERS, to_other_rule)
add("line of no rule", Finding.SPAN_MALFORMED, lambda r: lines(r)[0]["extension"].remove(_rule(r)))
add(
    "line with a score",
    Finding.SPAN_MALFORMED,
    lambda r: lines(r)[0]["extension"].append({"url": _score(r), "valueDecimal": 0.99}),
)
add("line among the sentences", Finding.SPAN_WITHOUT_SENTENCE, among_the_sentences)
add("version of a rule", Finding.PINNED_DIFFERS, of_rule(0, "rule", lambda a: a.replace("|", "|9")))
add(
    "rule that is none", Finding.PINNED_DIFFERS, of_rule(0, "rule", lambda a: a.replace("allergies", "moods"))
)
add("title of a rule", Finding.PINNED_DIFFERS, of_rule(0, "title", lambda _: "No allergies"))
add(
    "title of a rule in both places",
    Finding.PINNED_DIFFERS,
    of_rule(1, "title", lambda _: "Former wishes"),
    head(2, "Former wishes:"),
    by_checker=False,  # it does not have the rules
)
add("words before a line", Finding.PINNED_DIFFERS, head(0, "No allergies:"))
add("more found than said", Finding.PINNED_DIFFERS, of_rule(0, "found", lambda n: n + 3))
add("more shown than there are", Finding.PINNED_DIFFERS, of_rule(0, "shown", lambda n: n + 1))
add("words before a line lost", Finding.PINNED_DIFFERS, listed(lambda ol: ol[0].remove(ol[0][0])))
add("words before a line hidden", Finding.NARRATIVE_CHANGED, listed(lambda ol: ol[0][0].set("style", "x")))
add("line struck out", Finding.NARRATIVE_CHANGED, listed(lambda ol: etree.SubElement(line_of(ol[0]), "del")))
add("heading of a line", Finding.CONTEXT_ALTERED, listed(lambda ol: setattr(ol[0][1], "text", "FAMILY:")))
add("title of the section of rules", Finding.SECTION_ADDED, lambda r: r["section"][1].update(title="Notes"))
add("mode of the section of rules", Finding.ELEMENT_DIFFERS, lambda r: r["section"][1].update(mode="changes"))
add("sections swapped", Finding.SECTION_ADDED, lambda r: r["section"].reverse())
add("left out dropped", Finding.LEFT_OUT_DIFFERS, without_left_out)
add("left out of no section", Finding.LEFT_OUT_DIFFERS, without_its_sections)
add("left out of another section", Finding.LEFT_OUT_DIFFERS, another_title)
add("left out in words", Finding.ELEMENT_DIFFERS, caption("nothing from", "little from"), by_checker=False)
add("left out in number", Finding.ELEMENT_DIFFERS, caption("nothing from ", "nothing from 1"))
add("remark on the reading", Finding.NOTICE_DIFFERS, remark)


def _rule(resource: Resource) -> Resource:
    return part(lines(resource)[0], "extract-rule")


def _score(resource: Resource) -> str:
    return str(_rule(resource)["url"]).replace("extract-rule", "extract-score")
