r"""The control words of RTF that matter to text (Word 2007 RTF Specification 1.9.1)."""

import codecs

CHARSETS: dict[int, str] = {
    77: "mac_roman", 78: "shift_jis", 80: "gbk", 81: "big5", 128: "cp932", 129: "cp949", 130: "johab",
    134: "gbk", 136: "cp950", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256",
    186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
r"""`\fcharset` to codec. 0 (ANSI), 1 (default) and 2 (symbol) are the document's own code page;
symbol fonts are known by their names."""

_MAC_PAGES = {
    10000: "mac_roman", 10001: "shift_jis", 10004: "mac_arabic", 10006: "mac_greek", 10007: "mac_cyrillic",
    10029: "mac_latin2", 10079: "mac_iceland", 10081: "mac_turkish",
}  # fmt: skip

CHARACTERS: dict[str, str] = {
    "tab": "\t", "emdash": "\u2014", "endash": "\u2013", "lquote": "\u2018", "rquote": "\u2019",
    "ldblquote": "\u201c", "rdblquote": "\u201d", "bullet": "\u2022", "emspace": " ", "enspace": " ",
    "qmspace": " ", "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip

SYMBOLS: dict[str, str] = {"~": " ", "_": "-", "{": "{", "}": "}", "\\": "\\"}
r"""Control symbols that are characters; all others (`\-`, `\|`, `\:`) show nothing."""

SKIPPED = frozenset({
    "aftncn", "aftnsep", "aftnsepc", "annotation", "atnauthor", "atndate", "atnicn", "atnid", "atnparent",
    "atnref", "atntime", "atrfend", "atrfstart", "author", "background", "bkmkend", "bkmkstart",
    "blipuid", "buptim", "category", "colorschememapping", "colortbl", "comment", "company", "creatim",
    "datafield", "datastore", "defchp", "defpap", "do", "doccomm", "docvar", "falt", "fchars", "ffdata",
    "ffl", "file", "filetbl", "fldinst", "fldtype", "fname", "fontemb", "fontfile", "fonttbl", "formfield",
    "ftncn", "ftnsep", "ftnsepc", "g", "generator", "gridtbl", "hlfr", "hlinkbase", "hlloc", "hlsrc",
    "hsv", "htmltag", "info", "keycode", "keywords", "latentstyles", "lchars", "levelnumbers",
    "leveltext", "lfolevel", "linkval", "list", "listlevel", "listname", "listoverride",
    "listoverridetable", "listpicture", "liststylename", "listtable", "lsdlockedexcept", "mailmerge",
    "manager", "mhtmltag", "mmathPr", "nextfile", "nonesttables", "nonshppict", "objalias", "objclass",
    "objdata", "objname", "objsect", "objtime", "oldcprops", "oldpprops", "oldsprops", "oldtprops",
    "oleclsid", "operator", "panose", "password", "passwordhash", "pgp", "pgptbl", "picprop", "pict",
    "pn", "pnseclvl", "pntxta", "pntxtb", "printim", "private", "propname", "protend", "protstart",
    "protusertbl", "revtbl", "revtim", "rsidtbl", "rxe", "shp", "shpinst", "shppict", "shprslt", "sn",
    "sp", "staticval", "stylesheet", "subject", "sv", "svb", "tc", "tcn", "template", "themedata",
    "title", "txe", "ud", "userprops", "userpropts", "wgrffmtfilter", "windowcaption", "writereservation",
    "xe", "xform", "xmlattrname", "xmlattrvalue", "xmlclose", "xmlname", "xmlnstbl", "xmlopen",
})  # fmt: skip
"""Destinations that hold no text of the note. Pictures, tables of fonts and styles, instructions."""

READ_DESPITE_STAR = frozenset(
    {"shptxt", "dptxbxtext", "ud", "fldrslt", "nesttableprops", "footnote", "listtext", "pntext", "result"}
)

APART: dict[str, str] = {
    **dict.fromkeys(("header", "headerl", "headerr", "headerf"), "header"),
    **dict.fromkeys(("footer", "footerl", "footerr", "footerf"), "footer"),
    "footnote": "footnote",
    "shptxt": "box",
    "dptxbxtext": "box",
    "listtext": "marker",
    "pntext": "marker",
}
"""Destinations whose text is written elsewhere than where they stand."""

STRUCTURE = frozenset({"pard", "par", "plain", "sectd", "trowd", "viewkind", "intbl"})
"""Words that begin text: an unclosed destination ends here at the latest."""


HOLDS_PARAGRAPHS = frozenset({
    "aftncn", "aftnsep", "aftnsepc", "annotation", "background", "do", "ftncn", "ftnsep", "ftnsepc",
    "nonesttables", "shp", "shpinst", "shprslt",
})  # fmt: skip
r"""Skipped destinations in which `\pard` is no sign that their closing brace is missing."""

BREAKS = frozenset({"par", "line", "sect", "page", "column", "softline", "cell", "nestcell", "row", "pard"})
r"""Words that are never the fallback of a `\u`."""


def code_page(number: int) -> str | None:
    """The codec of a Windows or Macintosh code page, or None where there is none."""
    name = _MAC_PAGES.get(number, f"cp{number}")
    try:
        codecs.lookup(name)
    except LookupError:
        return None
    return name
