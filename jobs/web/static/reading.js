// Note and summary side by side. Every sentence of the note is an anchor; a chosen one is a link to its place
// in the summary, which links back.

import { folded } from "./note.js";

const quiet = matchMedia("(prefers-reduced-motion: reduce)");

function element(name, className, text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** What the note has in front of a sentence, and what must be read with it. */
function leading(sentence) {
  return sentence.context.filter((piece) => piece.start < sentence.start);
}

function around(piece) {
  const line = element("p", "around", folded(piece.text));
  line.title = piece.kind.replace("-", " ");
  return line;
}

export class Reading {
  /**
   * @param text where the note goes
   * @param list where the summary goes
   * @param found told the index of a sentence that a click led to
   */
  constructor(text, list, found) {
    this.text = text;
    this.list = list;
    this.found = found;
    text.addEventListener("click", (event) => this.#click(event, "a", this.list));
    list.addEventListener("click", (event) => this.#click(event, "li", this.text));
  }

  /** Shows a note, nothing chosen yet. */
  draw(note) {
    this.note = note;
    this.chosen = [];
    this.now = null;
    const parts = [];
    let end = 0;
    this.anchors = note.sentences.map((sentence) => {
      parts.push(note.cut(end, sentence.start));
      const anchor = element("a", "", sentence.text);
      anchor.id = `note-${sentence.index}`;
      anchor.draggable = false;
      anchor.dataset.index = sentence.index;
      parts.push(anchor);
      end = sentence.end;
      return anchor;
    });
    parts.push(note.cut(end, note.length));
    this.text.replaceChildren(...parts.filter((part) => part !== ""));
    this.list.replaceChildren();
  }

  /** Marks these sentences in the note and lists them. */
  choose(chosen) {
    const before = new Set(this.chosen);
    const after = new Set(chosen);
    for (const index of before) if (!after.has(index)) this.anchors[index].removeAttribute("href");
    for (const index of after) if (!before.has(index)) this.anchors[index].href = `#summary-${index}`;
    this.chosen = chosen;
    let told = new Set();
    this.list.replaceChildren(...chosen.map((index) => {
      const sentence = this.note.sentences[index];
      const item = this.#item(sentence, told);
      told = new Set(leading(sentence).map((piece) => piece.start));
      return item;
    }));
    this.#point(this.now);
  }

  /** Goes to a sentence in the note and points at it on both sides. */
  show(index, { focus = false, smooth = true } = {}) {
    this.#point(index);
    const anchor = this.anchors[index];
    this.#bring(anchor, smooth);
    this.#bringItem(index);
    if (focus && anchor.href) anchor.focus({ preventScroll: true });
  }

  /** A sentence with what stands around it; what the sentence before has in front of it too is told once. */
  #item(sentence, told) {
    const item = element("li");
    item.dataset.index = sentence.index;
    for (const piece of leading(sentence)) if (!told.has(piece.start)) item.append(around(piece));
    const link = element("a", "", folded(sentence.text));
    link.id = `summary-${sentence.index}`;
    link.href = `#note-${sentence.index}`;
    link.draggable = false;
    const place = `${sentence.score.toFixed(2)} · ${sentence.start}–${sentence.end}`;
    const where = element("p", "where");
    where.append(element("span", "unseen", "Score and place in the note: "), place);
    item.append(link);
    for (const piece of sentence.context) if (piece.start > sentence.start) item.append(around(piece));
    if (sentence.flags.length) {
      const flags = element("p", "flags");
      flags.append(element("span", "unseen", "The sentence speaks of something "), ...sentence.flags.map((flag) => element("span", "flag", flag)));
      item.append(flags);
    }
    item.append(where);
    return item;
  }

  #point(index) {
    for (const side of [this.text, this.list]) {
      for (const pointed of side.querySelectorAll("[aria-current]")) pointed.removeAttribute("aria-current");
    }
    this.now = index;
    if (index === null) return;
    this.anchors[index].setAttribute("aria-current", "true");
    document.getElementById(`summary-${index}`)?.setAttribute("aria-current", "true");
  }

  #click(event, selector, other) {
    const place = event.target.closest(selector);
    if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!getSelection().isCollapsed) return; // words were being selected
    const index = Number(place.dataset.index);
    this.#point(index);
    this.found(index);
    if (!this.anchors[index].href) return;
    const there = other === this.list ? document.getElementById(`summary-${index}`) : this.anchors[index];
    if (other === this.list && this.#pane()) this.#bringItem(index);
    else this.#bring(there, true);
    there.focus({ preventScroll: true });
  }

  #bring(target, smooth) {
    target.scrollIntoView({ block: "center", behavior: smooth && !quiet.matches ? "smooth" : "auto" });
  }

  /** Whether the summary scrolls by itself, as it does beside the note; under each other the page scrolls. */
  #pane() {
    return getComputedStyle(this.list).overflowY === "auto";
  }

  #bringItem(index) {
    const item = document.getElementById(`summary-${index}`)?.parentElement;
    if (!item || !this.#pane()) return;
    const pane = this.list;
    const top = item.offsetTop - pane.offsetTop;
    if (top < pane.scrollTop || top + item.offsetHeight > pane.scrollTop + pane.clientHeight) {
      pane.scrollTop = top - (pane.clientHeight - item.offsetHeight) / 2;
    }
  }
}
