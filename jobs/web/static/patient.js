// The notes of a patient: a sentence opens its note beside, the notes are filtered, and keys step through them.
// All that is shown was made by the service: parts of other pages are taken over as they are.

import { remembered } from "./keys.js";

const get = (id) => document.getElementById(id);
const notes = get("notes");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const behavior = calm ? "auto" : "smooth";

/** A page of this service, as a document that runs nothing. */
function page(address) {
  return new Promise((resolve, reject) => {
    const asked = new XMLHttpRequest();
    asked.open("GET", address);
    asked.responseType = "document";
    asked.setRequestHeader("Accept", "text/html");
    asked.onload = () => (asked.status === 200 && asked.response ? resolve(asked.response) : reject(new Error(String(asked.status))));
    asked.onerror = () => reject(new Error("no answer"));
    asked.send();
  });
}

const shown = (elements) => [...elements].filter((element) => element.getClientRects().length);
const articles = () => shown(notes.querySelectorAll(".note"));
const sentences = () => shown(notes.querySelectorAll("a.told"));

// The note beside.
const beside = get("beside"), pane = get("pane"), ruler = get("ruler");
let opened = "", wanted = 0;

function ruled(marks, now) {
  const whole = pane.scrollHeight || 1;
  ruler.replaceChildren(...marks.map((mark) => {
    const tick = document.createElement("i");
    tick.style.top = `${(100 * mark.offsetTop) / whole}%`;
    if (mark === now) tick.className = "now";
    return tick;
  }));
}

function point(hash) {
  const marks = [...pane.querySelectorAll("a.mark")];
  for (const old of pane.querySelectorAll(".now")) old.classList.remove("now");
  const now = marks.find((mark) => mark.id === hash);
  if (now) {
    now.classList.add("now");
    pane.scrollTop = Math.max(0, now.offsetTop - pane.clientHeight / 3);
  }
  ruled(marks, now);
}

async function open(link) {
  for (const old of notes.querySelectorAll(".now, .here")) old.classList.remove("now", "here");
  link.classList.add("now");
  const article = link.closest(".note");
  article?.classList.add("here");
  const [address, hash = ""] = link.getAttribute("href").split("#");
  beside.classList.add("open");
  if (opened !== address) {
    const turn = (wanted += 1);
    try {
      const found = (await page(address)).querySelector(".note");
      if (turn !== wanted) return;
      pane.replaceChildren(...(found ? [...found.childNodes].map((node) => document.importNode(node, true)) : ["The text of this note could not be read."]));
      opened = address;
      if (article) get("beside-title").textContent = `${article.querySelector("h2").textContent}, ${article.querySelector("time").textContent}`;
      get("beside-page").href = address;
      get("beside-page").hidden = false;
    } catch {
      if (turn === wanted) location.assign(link.href); // its own page says what is wrong
      return;
    }
  }
  get("beside-page").href = link.href;
  point(hash);
}

function close() {
  beside.classList.remove("open");
  const now = notes.querySelector(".told.now");
  now?.focus({ preventScroll: true });
}

notes?.addEventListener("click", (event) => {
  const link = event.target.closest("a.told, a.whole");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (String(getSelection())) return; // words are being copied
  open(link);
});
pane.addEventListener("click", (event) => {
  const mark = event.target.closest("a.mark");
  if (!mark) return;
  event.preventDefault();
  const there = notes.querySelector(`a.told[href="${CSS.escape(opened)}#${CSS.escape(mark.id)}"]`) ??
    [...notes.querySelectorAll("a.told")].find((link) => link.getAttribute("href") === `${opened}#${mark.id}`);
  if (!there) return;
  there.scrollIntoView({ block: "center", behavior });
  there.focus({ preventScroll: true });
  open(there);
});
get("beside-close").addEventListener("click", close);
beside.hidden = !notes?.querySelector("a.told");

// More notes, and all of them where they are searched.
async function more(address, all) {
  const there = await page(address);
  const found = [...there.querySelectorAll("#notes > .note")].map((note) => document.importNode(note, true));
  if (all) notes.replaceChildren(...found);
  else notes.append(...found);
  const further = there.getElementById("further");
  if (further && !all) get("further").replaceWith(document.importNode(further, true));
  else get("further")?.remove();
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("#further a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const last = notes.lastElementChild, all = link.matches(".all");
  try {
    await more(link.href, all);
    (all ? notes.firstElementChild : last.nextElementSibling)?.focus({ preventScroll: all });
  } catch {
    location.assign(link.href);
  }
});

// Search and filters.
const seek = get("seek"), kind = get("kind"), heading = get("heading"), counted = get("counted");
let loading = null, pause = 0;

function plain(text) {
  return text.toLocaleLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
}

/** What a word of the search has to find, in a sentence or above it: a word that begins with it. */
function beginning(word) {
  return new RegExp(`(?<![\\p{L}\\p{N}])${word.replace(/[\\^$.*+?()[\]{}|/]/gu, "\\$&")}`, "u");
}

async function filter() {
  const words = plain(seek.value).split(/\s+/u).filter(Boolean).map(beginning);
  const kinds = plain(kind?.value ?? ""), under = plain(heading?.value ?? "");
  const any = words.length || kinds || under;
  const all = document.querySelector("#further a.all");
  if (any && all && !loading) {
    counted.textContent = "Reading all notes…";
    loading = more(all.href, true).catch(() => location.assign(all.href)).finally(() => { loading = null; });
  }
  if (loading) {
    await loading;
    return filter();
  }
  notes.classList.toggle("filtered", Boolean(any));
  let told = 0, within = 0;
  for (const note of notes.querySelectorAll(":scope > .note")) {
    let here = 0;
    for (const place of note.querySelectorAll(".says li:has(> a.told), .ruled dd")) {
      const section = place.closest("section");
      const above = section?.dataset.heading ?? place.parentElement.querySelector("dt")?.textContent ?? "";
      const said = words.length ? plain(`${above} ${place.textContent}`) : "";
      const fits = (!under || (section && plain(above) === under)) && words.every((word) => word.test(said));
      place.hidden = !fits;
      here += fits ? 1 : 0;
    }
    for (const group of note.querySelectorAll("section, .ruled div, .ruled")) group.hidden = !group.querySelector("li:not([hidden]) > a.told, dd:not([hidden])");
    const fits = (!kinds || plain(note.dataset.kind) === kinds) && (here || !(words.length || under));
    note.hidden = !fits;
    told += fits ? here : 0;
    within += fits ? 1 : 0;
  }
  counted.textContent = any ? `${told} sentence${told === 1 ? "" : "s"} in ${within} note${within === 1 ? "" : "s"}` : "";
}

if (notes) {
  for (const part of document.querySelectorAll(".by-script")) part.hidden = false;
  seek?.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(filter, 150); });
  kind?.addEventListener("change", filter);
  heading?.addEventListener("change", filter);
}
const choices = document.querySelector(".choices");
if (choices && matchMedia("(max-width: 900px)").matches) choices.open = false;

// Keys.
const keys = get("keys"), on = remembered(get("keys-on"));

get("help")?.addEventListener("click", () => keys.showModal());

function step(list, current, by) {
  const at = list.indexOf(current);
  return list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + by))];
}

function toNote(by) {
  const list = articles(), active = document.activeElement.closest?.("#notes .note") ?? notes.querySelector(".note.here");
  const next = step(list, active, by);
  if (!next) return;
  for (const old of notes.querySelectorAll(".here")) old.classList.remove("here");
  next.classList.add("here");
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "start", behavior });
}

function toSentence(by) {
  const list = sentences(), now = notes.querySelector("a.told.now");
  const from = now && list.includes(now) ? now : null;
  const first = from ? null : document.activeElement.closest?.("#notes .note")?.querySelector("a.told");
  const next = first ?? step(list, from, by);
  if (!next) return;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest", behavior });
  open(next);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && beside.classList.contains("open") && !keys.open) close();
  const writing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
  if (!notes || !on.checked || writing || keys.open || event.ctrlKey || event.metaKey || event.altKey) return;
  const acts = {
    j: () => toNote(1), k: () => toNote(-1), n: () => toSentence(1), p: () => toSentence(-1),
    o: () => get("turn")?.click(), "?": () => keys.showModal(),
    "/": () => { if (choices) choices.open = true; seek?.focus(); },
  };
  const act = Object.hasOwn(acts, event.key) ? acts[event.key] : null;
  if (!act) return;
  event.preventDefault();
  act();
});
