"""HTML's elements by what they mean for the text (HTML standard, sections 13.1 and 15.3)."""


def names(listed: str) -> frozenset[str]:
    """A set of element names from one string."""
    return frozenset(listed.split())


# Names that are elements even without an end tag in the document (HTML's own, those of old browsers
# included).
KNOWN = names(
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink "
    "blockquote body br button canvas caption center cite code col colgroup data datalist dd del details "
    "dfn dialog dir div dl dt em embed fieldset figcaption figure font footer form frame frameset h1 h2 "
    "h3 h4 h5 h6 head header hgroup hr html i iframe img input ins isindex kbd keygen label legend li "
    "link listing main map mark marquee math menu menuitem meta meter nav nobr noembed noframes noscript "
    "object ol optgroup option output p param picture plaintext pre progress q rb rp rt rtc ruby s samp "
    "script search section select slot small source spacer span strike strong style sub summary sup svg "
    "table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr xmp"
)
# Tags mean nothing inside of these; in the raw ones, character references neither.
RAW = frozenset(("script", "style", "xmp", "iframe", "noembed", "noframes"))
OPAQUE = RAW | {"textarea", "title", "plaintext"}
VOID = names(
    "area base basefont bgsound br col embed frame hr img input isindex keygen link meta param source "
    "spacer track wbr"
)
HIDDEN = names("script style template head title iframe noembed noframes datalist rp")
IN_HEAD = names("base basefont bgsound link meta title style script noscript template head html")
HEADINGS = names("h1 h2 h3 h4 h5 h6")
PARAGRAPHS = names("p blockquote ul ol menu dir dl table figure pre listing xmp hr fieldset")
BLOCKS = PARAGRAPHS | names(
    "address article aside body button caption center dd details dialog div dt fieldset figcaption footer "
    "form header hgroup html legend li main nav search section summary tbody tfoot "
    "thead tr textarea"
)
DEFINITIONS = names("dl dt dd")
LISTS = names("ul ol menu dir")
PREFORMATTED = names("pre listing xmp textarea plaintext")
FIELDS = names("label output meter progress")
STRUCK = names("del s strike")
SCRIPTS = {"sup": True, "sub": False}
# A start tag of the key ends open elements of the value, up to the barrier.
IMPLIES_END = {
    "li": frozenset(("li", "p")),
    "dt": frozenset(("dt", "dd", "p")),
    "dd": frozenset(("dt", "dd", "p")),
    "option": frozenset(("option",)),
    "tr": names("tr td th caption p li dl dt dd"),
    "td": names("td th caption p li dl dt dd"),
    "th": names("td th caption p li dl dt dd"),
    **dict.fromkeys(("thead", "tbody", "tfoot"), names("thead tbody tfoot tr td th caption p li dl dt dd")),
}
BARRIERS = {
    **dict.fromkeys(("li",), LISTS | {"table", "td", "th", "caption"}),
    **dict.fromkeys(("dt", "dd"), frozenset(("dl", "table", "td", "th"))),
    **dict.fromkeys(("tr", "td", "th", "thead", "tbody", "tfoot"), frozenset(("table",))),
}
TABLE_PARTS = names("table caption thead tbody tfoot tr td th")
CELL_BARRIER = frozenset(("table", "td", "th", "caption"))
BOXES = BLOCKS | CELL_BARRIER
BOLD = names("b strong th")
DRESSED = STRUCK | BOLD
