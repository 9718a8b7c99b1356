// The strip above the note: a bar for each sentence, as high as its score, where it stands along the note.
// With a pointer or the arrow keys one walks through all sentences, chosen or not.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 100;
const LEAST = 5; // of a bar, so that every sentence is seen
const GAP = 1.5; // pixels between bars, where they are wide enough
const PAGE = 10;

export class Strip {
  /**
   * @param element the slider
   * @param readout what stands under it
   * @param moved told the index of the sentence that was walked to
   */
  constructor(element, readout, moved) {
    this.element = element;
    this.readout = readout;
    this.moved = moved;
    this.now = 0;
    element.addEventListener("keydown", (event) => this.#key(event));
    element.addEventListener("pointerdown", (event) => this.#hold(event));
    element.addEventListener("pointermove", (event) => {
      if (element.hasPointerCapture(event.pointerId)) this.#to(this.#at(event));
    });
  }

  /** Draws the bars of a note. */
  draw(note) {
    this.note = note;
    const length = Math.max(1, note.length);
    const picture = document.createElementNS(SVG, "svg");
    const set = (node, values) => Object.entries(values).forEach(([name, value]) => node.setAttribute(name, value));
    set(picture, { viewBox: `0 0 ${length} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" });
    const gap = (GAP * length) / (this.element.clientWidth || 600);
    this.bars = note.sentences.map((sentence) => {
      const wide = sentence.end - sentence.start;
      const height = Math.max(LEAST, (HEIGHT * sentence.score) / (note.highest || 1));
      const bar = document.createElementNS(SVG, "rect");
      set(bar, { x: sentence.start, y: HEIGHT - height, width: Math.max(wide - gap, wide / 2), height });
      picture.append(bar);
      return bar;
    });
    this.needle = document.createElement("span");
    this.needle.className = "needle";
    this.element.replaceChildren(picture, this.needle);
    this.element.setAttribute("aria-valuemax", String(Math.max(1, note.sentences.length)));
    this.show(0);
  }

  /** Marks the chosen sentences. */
  mark(chosen) {
    this.chosen = new Set(chosen);
    this.bars.forEach((bar, index) => bar.classList.toggle("chosen", this.chosen.has(index)));
    this.show(this.now);
  }

  /** Puts the needle on a sentence. */
  show(index) {
    const sentence = this.note.sentences[index];
    this.now = index;
    this.needle.hidden = !sentence;
    if (!sentence) {
      this.readout.textContent = "";
      return;
    }
    const middle = (sentence.start + sentence.end) / 2 / this.note.length;
    this.needle.style.left = `${(100 * middle).toFixed(3)}%`;
    const parts = [`Sentence ${index + 1} of ${this.note.sentences.length}`, `score ${sentence.score.toFixed(2)}`];
    if (sentence.section) parts.push(sentence.section);
    if (this.chosen?.has(index)) parts.push("chosen");
    this.readout.textContent = parts.join(" · ");
    this.element.setAttribute("aria-valuenow", String(index + 1));
    this.element.setAttribute("aria-valuetext", `${parts.join(", ")}: ${sentence.text}`);
  }

  #to(index) {
    if (!this.note.sentences.length) return;
    this.show(Math.min(this.note.sentences.length - 1, Math.max(0, index)));
    this.moved(this.now);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE, Home: -Infinity, End: Infinity };
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.#to(this.now + steps[event.key]);
  }

  #hold(event) {
    if (event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.#to(this.#at(event));
  }

  /** The sentence nearest to a pointer. */
  #at(event) {
    const box = this.element.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * this.note.length;
    const away = ({ start, end }) => Math.max(start - place, place - end, 0);
    let nearest = 0;
    for (const sentence of this.note.sentences) {
      if (away(sentence) < away(this.note.sentences[nearest])) nearest = sentence.index;
    }
    return nearest;
  }
}
