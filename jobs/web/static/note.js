// A note as the service answered it: its sentences, and which of them a summary of some length holds.

/** Cuts a text by code points, which is what the service counts; JavaScript counts UTF-16 units. */
export function cutter(text, length) {
  if (text.length === length) return (start, end) => text.slice(start, end);
  const points = Array.from(text);
  return (start, end) => points.slice(start, end).join("");
}

export class Note {
  /** @param answer of the service, with `content`; throws where its offsets do not hold its own sentences */
  constructor(answer) {
    this.answer = answer;
    this.length = answer.text.length;
    this.cut = cutter(answer.content, this.length);
    const flags = new Map(answer.summary.map((chosen) => [chosen.start, chosen.flags ?? []]));
    this.sentences = answer.sentences.map((sentence, index) => ({
      ...sentence,
      index,
      text: this.cut(sentence.start, sentence.end),
      context: (sentence.context ?? []).map((piece) => ({ ...piece, text: this.cut(piece.start, piece.end) })),
      flags: flags.get(sentence.start) ?? [],
    }));
    this.highest = this.sentences.reduce((highest, sentence) => Math.max(highest, sentence.score), 0);
    this.rules = this.#rules(answer.pinned_rules ?? [], answer.pinned ?? []);
    this.ranked = answer.ranked;
    this.own = this.chosenOf(answer);
    // Without ranks there may be fewer than so many sentences of different wording; the service says so then.
    this.most = this.ranked ? this.sentences.filter((sentence) => sentence.rank).length : this.sentences.length;
  }

  /** What rules found: of each rule its words and its lines, whose `index` is that of their sentence. */
  #rules(rules, pinned) {
    const places = new Map(this.sentences.map((sentence) => [sentence.start, sentence]));
    return rules.map(({ rule, title, shown, found }) => ({
      words: shown === found ? title : `${title} (${shown} of ${found} shown)`,
      lines: pinned.filter((line) => line.rule === rule).map((line) => {
        const sentence = places.get(line.start);
        if (sentence?.text !== line.text) throw new RangeError("A line does not stand where it should.");
        return sentence;
      }),
    }));
  }

  /** The indices of the sentences that an answer chose. */
  chosenOf(answer) {
    const places = new Map(this.sentences.map((sentence) => [sentence.start, sentence]));
    return answer.summary.map((chosen) => {
      const sentence = places.get(chosen.start);
      if (sentence?.text !== chosen.text) throw new RangeError("A chosen sentence does not stand where it should.");
      return sentence.index;
    });
  }

  /** The indices of a summary of `count` sentences, as the service would choose them. */
  chosen(count) {
    return this.sentences.filter((sentence) => sentence.rank && sentence.rank <= count).map((sentence) => sentence.index);
  }
}

/** A text as it is shown: a line end of the note is a blank. */
export function folded(text) {
  return text.split(/\s+/u).filter(Boolean).join(" ");
}

/** The lengths that a slider offers: each one at first, then ever larger steps, up to all. */
export function lengths(most) {
  const found = [];
  for (let length = 1; length < most; length += Math.max(1, Math.floor(length / 24))) found.push(length);
  found.push(most);
  return found;
}

/** The chosen sentences as text: one after the other with their offsets, and what says where they are from. */
export function asText(note, chosen) {
  const { model, text } = note.answer;
  const line = ({ start, end, text: words, context }) => {
    const before = context.filter((piece) => piece.start < start).map((piece) => folded(piece.text));
    const after = context.filter((piece) => piece.start >= start).map((piece) => folded(piece.text));
    return `[${start}-${end}] ${[...before.map((one) => `(${one})`), folded(words), ...after.map((one) => `(${one})`)].join(" ")}`;
  };
  const ruled = note.rules.flatMap((rule) => ["", `Found by rule: ${rule.words}`, ...rule.lines.map(line)]);
  const by = [model.name, model.engine === model.name ? "" : model.engine, model.sha256 && `SHA-256 ${model.sha256}`];
  return [
    ...chosen.map((index) => line(note.sentences[index])),
    ...ruled,
    "",
    `Extracted by a machine (${by.filter(Boolean).join(", ")}), unverified. In brackets: what stands around a sentence in the note.`,
    `Offsets in Unicode code points of the text with SHA-256 ${text.sha256}.`,
    "",
  ].join("\n");
}
