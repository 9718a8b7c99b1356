"""Lines of a note that carry no clinical content: signatures, footers, letter furniture, rules."""

import re

RULE = re.compile(r"[\s\-_=*~#.+|–—─━═•]{3,}$")
_RULE_MARKS = re.compile(r"[-_=*~#.+|–—─━═]{2}")

_LINE = re.compile(
    r"""(?:
      (?:this\ (?:note|report|document|letter)\ (?:was|has\ been)\ )?
        (?:electronically|digitally|e-?)\s?-?(?:signed|authenticated|verified|approved)\b
    | dictated\b(?!\ (?:the|her|his)) | dictation\b (?:\ (?:id|number|ended|date|time|job|\#)|:|\ *$)
    | \(?(?:dictated|transcribed|signed|reviewed)\ but\ not\ (?:read|reviewed|signed)
    | transcribed\b | transcription(?:ist)?\b
    | (?:d|t|dd|dt|td|tt|r|d/t|dd/dt)\s?:\s*\d{1,4}[/-]\d
    | job\s*(?:\#|no\.?|number|id)?\s*:?\s*\#?\d{3,} | mtid\b | doc(?:ument)?\s*(?:\#|id|no\.?)\s*:?\s*\d
    | (?:signed|authenticated|verified|reviewed|approved|cosigned|co-signed|attested|finalized)
        \ (?:by|electronically|on)\b
    | (?:signed|signature|sign|electronic\ signature|authenticated|cosigner|signer|completed\ by)\s*:
    | page\ \d+(?:\ (?:of|/)\ \d+)?\s*$ | page\s*:?\s*\d+\ ?(?:of|/)\ ?\d+
    | pg\.?\ \d+(?:\ of\ \d+)?\s*$ | -+\s*\d+\s*-+\s*$
    | \d+\ of\ \d+\s*$ | continued\ on\ (?:next|the\ next|page) | \(?cont(?:inued|'d|\.)\)?\s*$
    | (?:cc|bcc|copies\ to|copy\ to|cc\ to|carbon\ copy)\s*:\s*
        (?:dr\b|.*\b(?:m\.?d|d\.?o|ph\.?d|np|pa-c|physician|doctor|clinic|office|records)\b)
    | dear\b[^!?]{0,80}[:,]\s*$ | dear(?:\ \S+){1,5}$ | to\ whom\ it\ may\ concern\b
    | (?:sincerely|respectfully|regards|best\ regards|kind(?:est)?\ regards|warm(?:est)?\ regards|cordially
        |yours\ (?:truly|sincerely|faithfully)|very\ truly\ yours|sincerely\ yours
        |with\ (?:best|kind|warm)\ (?:regards|wishes)
        |respectfully\ (?:submitted|yours)|best\ wishes)\s*[,.]?\s*$
    | (?:encl|enclosures?|enc)\s*[.:]?\s*(?:\d+)?\s*$ | confidential(?:ity)?\b.{0,60}$
    | \W*end\ of\ (?:report|note|document|dictation)\b
    | (?:this|the)\ (?:document|report|note|dictation|chart|record)\ (?:was|has\ been|is|may\ have\ been)
        \ (?:\w+\ ){0,3}(?:dictated|created|generated|transcribed|prepared|produced)\b
        .{0,60}\b(?:voice|speech|dragon|software|recognition|dictation)
    | (?:printed|print\ date|printed\ (?:by|on)|date\ printed|faxed|generated\ (?:by|on))\s*:?\s .{0,60}\d
    | \*{2,}.{0,60}(?:final\ report|signed|end\ of|preliminary).{0,40}\*{2,}\s*$
    | (?:final|preliminary)\ report\s*$
    )""",
    re.X | re.I,
)
_CREDENTIALS = (
    r"(?:M\.?\s?D\.?|D\.?O\.?|Ph\.?\s?D\.?|R\.?N\.?|N\.?P\.?|P\.?A\.?(?:-C)?|F\.?A\.?C\.?[A-Z.]+|B\.?S\.?N\.?"
    r"|M\.?S\.?N\.?|ARNP|APRN|FNP(?:-[BC]+)?|CRNP|CRNA|LCSW|LPN|DPM|DDS|Psy\.?D\.?|MBBS|FRCP[CS]?|DMD|OD|DC"
    r"|PharmD|PT|DPT|OTR(?:/L)?|CCC-SLP|RD|MSW)"
)
_NAME_LINE = re.compile(
    r"(?:/s/\s*)?_*\s*(?:Dr\.?\s+)?(?:[A-Z][\w.'’-]*|\[\*\*[^\]]*\*\*\]|X{2,})(?:\s+(?:[A-Z][\w.'’-]*|\[\*\*[^\]]*\*\*\]|X{2,})){0,4}\s*,\s*"
    + _CREDENTIALS
    + r"(?:\s*,\s*"
    + _CREDENTIALS
    + r")*\.?\s*(?:\(.{0,40}\)|,?\s*\d.{0,30})?\s*$"
)
_SIGNATURE_BLANK = re.compile(r"(?:_{3,}|/s/)\s*.{0,50}$")
DEAR = re.compile(r"(?:dear\b[^!?\n]{0,80}[:,]|dear(?: \S+){1,5}|to whom it may concern\b.{0,5})$", re.I)
VALEDICTION = re.compile(
    r"(?:sincerely|respectfully|(?:\w+ ){0,2}regards|cordially|"
    r"yours|very truly|best wishes)\b[\w ]{0,20}[,.]?$",
    re.I,
)
_GREETING = re.compile(r"(?:[^,\n]{1,45},){0,8}[ \t]*Dear\b[^,:\n]{1,50}[:,]+(?=[ \t]*[A-Z])")
_CLOSE = re.compile(
    r"(?<=[.,])[ \t]*(?:sincerely(?: yours)?|respectfully(?: yours| submitted)?|"
    r"(?:best |kind |warm )?regards|yours (?:truly|sincerely)|very truly yours|cordially),[^:;]{0,80}$",
    re.I,
)
_HINT = re.compile(
    r"sign|complet|dictat|transcri|page|pg|dear|sincerely|regards|yours|respectfully|cordial|job|mtid|doc|authent|"
    r"verified|approved|attest|finaliz"
    r"|review|\bcc\b|cop(?:y|ies)|encl?|confiden|end of|print|fax|generat|voice|report"
    r"|^\W*\d|^\W*[drt]{1,2}\W|cont|whom|wishes|carbon",
    re.I,
)


def is_rule(line: str) -> bool:
    """Whether a stripped line is a rule of dashes or the like."""
    return len(line) >= 3 and RULE.match(line) is not None and _RULE_MARKS.search(line) is not None


def is_boilerplate(line: str) -> bool:
    """Whether a stripped line is a footer, dictation, signature or letter line by its own words."""
    if len(line) > 240:
        return False
    if line[0] in "_/" and _SIGNATURE_BLANK.match(line):
        return True
    if _HINT.search(line) and _LINE.match(line):
        return True
    return len(line) < 90 and "," in line and _NAME_LINE.match(line) is not None


def letter_body(text: str, start: int, end: int) -> tuple[int, int]:
    """The part of `text[start:end]` between greeting and close, of a letter whose newlines became commas."""
    opening = _GREETING.match(text, start, end) if text.find("Dear", start, start + 400) >= 0 else None
    closing = (
        _CLOSE.search(text, max(start, end - 120), end) if text.find(",,", end - 120, end) >= 0 else None
    )
    return opening.end() if opening else start, closing.start() if closing else end
