"""Lines of a note that must not depend on a score: found by rules, verbatim, beside the summary."""
