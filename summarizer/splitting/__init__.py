"""From a note to all that is known of it before a sentence is scored."""
