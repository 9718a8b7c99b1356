"""What a pass tells whoever looks on, beside the outcome of each note."""


class Watch:
    """Looks on and does nothing; a subclass shows what it is told. Called in the event loop."""

    def found(self, notes: int) -> None:
        """So many more notes are known to be handled in this pass."""

    def loading(self) -> None:
        """The model is loaded now, since the first text waits for it."""

    def loaded(self) -> None:
        """The model is there."""

    def planned(self, words: str) -> None:
        """Where the notes come from, in a sentence, before the first of them."""

    def reached(self, share: float, in_this_run: float) -> None:
        """Of all that there is so much is read (0 to 1), and so much of all by this run."""

    def waiting(self, progress: str) -> None:
        """The server is still making an export, and says this of its progress."""
