// The first page: takes a note, shows what the service chose, and changes the length at once.

import { remembered } from "./keys.js";
import { asText, folded, lengths, Note } from "./note.js";
import { Reading } from "./reading.js";
import { file, pasted, Refusal, summarise } from "./service.js";
import { Strip } from "./strip.js";

const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const SLOW = 2500; // milliseconds after which the wait is explained
const CALM = 250; // milliseconds that the slider rests before a service without ranks is asked

const state = { source: null, note: null, chosen: [], steps: [1], stop: null, calm: 0 };

const strip = new Strip(at("strip"), at("readout"), (index) => reading.show(index, { smooth: false }));
const reading = new Reading(at("text"), at("summary"), (index) => strip.show(index));

// What is shown: the question, the wait or the answer.

function show(part) {
  for (const id of ["ask", "working", "result"]) at(id).hidden = id !== part;
}

function say(words) {
  at("said").textContent = words;
}

function clearProblem() {
  at("problem").replaceChildren();
}

function showProblem({ title, words, again = false, signIn = false }, retry = null) {
  const box = document.createElement("div");
  box.className = "problem";
  const heading = document.createElement("p");
  const strong = document.createElement("strong");
  strong.textContent = `${title}.`;
  heading.append(strong, words ? ` ${words}` : "");
  box.append(heading);
  if (signIn) {
    const link = document.createElement("a");
    Object.assign(link, { href: "/login", target: "_blank", rel: "noopener", textContent: "Sign in" });
    box.append(link);
  }
  if (again && retry) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "quiet", textContent: "Try again" });
    button.addEventListener("click", retry);
    box.append(button);
  }
  at("problem").replaceChildren(box);
  box.scrollIntoView({ block: "nearest" });
}

// Asking.

async function ask(source) {
  const why = unfit(source);
  if (why) {
    show("ask");
    showProblem(why);
    return;
  }
  state.stop?.abort();
  const stop = new AbortController();
  state.stop = stop;
  state.source = source;
  clearProblem();
  working("Reading the note");
  const slow = setTimeout(() => working("Reading the note. The first one takes longer, while the model loads"), SLOW);
  try {
    const answer = await summarise(source, {
      signal: stop.signal,
      waiting: (seconds) => {
        clearTimeout(slow);
        working(`The service is busy. Asking again in ${seconds} s`, "The service is busy and will be asked again.");
      },
    });
    present(new Note(answer));
  } catch (error) {
    if (state.stop !== stop) return; // another note is on its way
    show("ask");
    if (error.name === "AbortError") at("note").focus();
    else if (error instanceof Refusal) showProblem(error, () => ask(source));
    else showProblem({ title: "The answer does not fit the note", words: "Nothing is shown, since a sentence would stand in the wrong place. Tell who runs the service." });
  } finally {
    clearTimeout(slow);
  }
}

/** Shows what is waited for; `spoken` is what a screen reader says, once, while seconds are counted. */
function working(words, spoken = words) {
  if (at("working").hidden) show("working");
  at("working-words").textContent = words;
  if (at("said").textContent !== spoken) say(spoken);
}

/** What need not be sent, since the service would refuse it. */
function unfit(source) {
  const { maxBytes, maxCharacters } = at("ask").dataset;
  const size = source.bytes ? source.bytes.byteLength : new Blob([source.text]).size;
  if (!size || (!source.bytes && !source.text.trim())) {
    return source.bytes
      ? { title: "The file is empty", words: "" }
      : { title: "There is no note yet", words: "Paste one, or open a file." };
  }
  if (size > Number(maxBytes)) {
    return { title: "The note is too large", words: `At most ${number.format(Math.floor(maxBytes / 1000))} kB can be read.` };
  }
  if (!source.bytes && source.text.length > 2 * maxCharacters) {
    return { title: "The note is too large", words: `At most ${number.format(maxCharacters)} characters can be read.` };
  }
  return null;
}

// The answer.

function present(note) {
  clearProblem();
  state.note = note;
  const { sentences, answer } = note;
  const about = [state.source.name || "Pasted note", `${number.format(note.length)} characters`, `${number.format(sentences.length)} ${sentences.length === 1 ? "sentence" : "sentences"}`];
  at("about").textContent = about.join(" · ");
  const notice = sentences.length ? answer.text.notice ?? "" : "No sentence was found in this note, only headings or blank lines.";
  at("notice").textContent = notice;
  at("notice").hidden = !notice;
  at("tools").hidden = !sentences.length;
  state.steps = lengths(note.most);
  at("length").max = state.steps.length - 1;
  at("length").disabled = note.most < 2;
  show("result");
  reading.draw(note);
  drawRules(note);
  strip.draw(note);
  choose(note.own, { own: true });
  at("result-title").focus();
  scrollTo(0, 0);
}

/** What rules found, apart from the summary and whatever its length; nothing is said where they found nothing. */
function drawRules({ rules }) {
  at("ruled").hidden = !rules.length;
  at("rules").replaceChildren(...rules.map(({ words, lines }) => {
    const rule = document.createElement("div");
    const name = document.createElement("dt");
    name.textContent = words;
    rule.append(name, ...lines.map(ruledLine));
    return rule;
  }));
}

function ruledLine(sentence) {
  const line = document.createElement("dd");
  const link = document.createElement("a");
  link.href = `#note-${sentence.index}`;
  link.textContent = folded(sentence.text);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    strip.show(sentence.index);
    reading.show(sentence.index, { focus: true });
  });
  line.append(link);
  for (const piece of sentence.context) {
    const around = document.createElement("span");
    Object.assign(around, { className: "around", title: piece.kind.replace("-", " "), textContent: folded(piece.text) });
    if (piece.start < sentence.start) link.before(around, " ");
    else line.append(" ", around);
  }
  return line;
}

function choose(chosen, { own = false } = {}) {
  const { note, steps } = state;
  state.chosen = chosen;
  reading.choose(chosen);
  strip.mark(chosen);
  if (own) at("length").value = nearest(steps, chosen.length);
  const words = `${number.format(chosen.length)} of ${number.format(note.sentences.length)}`;
  at("count").textContent = words;
  at("length").setAttribute("aria-valuetext", `${words} sentences`);
  at("own").setAttribute("aria-pressed", String(own));
  at("own").textContent = `Suggested: ${number.format(note.own.length)}`;
  for (const id of ["previous", "next", "copy"]) at(id).disabled = !chosen.length;
  say(`${words} sentences chosen.`);
}

function nearest(steps, length) {
  return steps.reduce((best, step, index) => (Math.abs(step - length) < Math.abs(steps[best] - length) ? index : best), 0);
}

function setLength(length) {
  if (state.note.ranked) {
    choose(state.note.chosen(length));
    return;
  }
  at("count").textContent = `${number.format(length)} …`;
  clearTimeout(state.calm);
  state.calm = setTimeout(() => askLength(length), CALM);
}

/** An engine that chooses anew for each length has no ranks: the service is asked. */
async function askLength(length) {
  state.stop?.abort();
  const stop = new AbortController();
  state.stop = stop;
  try {
    const answer = await summarise(state.source, { budget: length, signal: stop.signal });
    clearProblem();
    choose(state.note.chosenOf(answer));
  } catch (error) {
    if (error instanceof Refusal) showProblem(error, () => askLength(length));
    else if (error.name !== "AbortError") throw error;
  }
}

function suggest() {
  clearTimeout(state.calm);
  choose(state.note.own, { own: true });
}

/** Goes to the next chosen sentence, or the one before; round and round. */
function step(direction) {
  const { chosen } = state;
  if (!chosen.length) return;
  const from = reading.now ?? (direction > 0 ? -1 : Infinity);
  const index = direction > 0
    ? chosen.find((i) => i > from) ?? chosen[0]
    : chosen.findLast((i) => i < from) ?? chosen.at(-1);
  strip.show(index);
  reading.show(index, { focus: true });
}

async function copy() {
  const words = asText(state.note, state.chosen);
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    if (!copyBySelection(words)) {
      showProblem({ title: "The browser did not let the summary be copied", words: "Select its sentences by hand." });
      return;
    }
  }
  at("copy").classList.add("done");
  setTimeout(() => at("copy").classList.remove("done"), 2000);
  say(`${number.format(state.chosen.length)} sentences copied.`);
}

/** Where the page has no leave to use the clipboard, as without TLS. */
function copyBySelection(words) {
  const area = document.createElement("textarea");
  area.value = words;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  at("copy").focus();
  return done;
}

function another() {
  state.stop?.abort();
  clearProblem();
  show("ask");
  scrollTo(0, 0);
  at("note").focus();
  at("note").select();
}

async function open(files) {
  if (!files.length) return;
  clearProblem();
  try {
    await ask(await file(files[0]));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    show("ask");
    showProblem(error);
  }
}

// What people do.

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask(pasted(at("note").value));
});
at("note").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("form").requestSubmit();
});
at("file").addEventListener("change", () => {
  open([...at("file").files]);
  at("file").value = "";
});
at("example").addEventListener("click", async () => {
  clearProblem();
  try {
    const answer = await fetch("/example");
    if (!answer.ok) throw new TypeError("no example");
    at("note").value = await answer.text();
  } catch {
    showProblem({ title: "The example could not be fetched", words: "Check the network, then try again." });
    return;
  }
  ask(pasted(at("note").value));
});
at("stop").addEventListener("click", () => state.stop?.abort());
at("another").addEventListener("click", another);
at("length").addEventListener("input", () => setLength(state.steps[Number(at("length").value)]));
at("own").addEventListener("click", suggest);
at("previous").addEventListener("click", () => step(-1));
at("next").addEventListener("click", () => step(1));
at("copy").addEventListener("click", copy);

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("textarea, input:not([type=range], [type=checkbox]), select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || at("result").hidden || !at("keys").checked) return;
  if (event.key === "n" || event.key === "p") {
    event.preventDefault();
    step(event.key === "n" ? 1 : -1);
  }
});

const holdsFiles = (transfer) => transfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!holdsFiles(event.dataTransfer)) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  if (!holdsFiles(event.dataTransfer)) return;
  event.preventDefault();
  open([...event.dataTransfer.files]);
});
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length || event.clipboardData.types.includes("text/plain")) return;
  event.preventDefault();
  open(files);
});

remembered(at("keys"));
for (const id of ["go", "file", "example"]) at(id).disabled = false;
