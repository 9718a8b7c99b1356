// Finds a sentence's place in the note and the sentence of a place, by click, by n and p, and by address.

import { remembered } from "./keys.js";

(() => {
  const compare = document.querySelector("[data-compare]");
  const rows = [...compare.querySelectorAll("li[data-row]")];
  const steps = compare.querySelector("[data-steps]");
  if (!rows.length) return;
  const marks = new Map();
  for (const mark of compare.querySelectorAll("a.mark")) {
    const number = mark.dataset.row;
    marks.set(number, [...(marks.get(number) ?? []), mark]);
  }
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const count = steps.querySelector("[data-count]");
  const keys = remembered(steps.querySelector("[data-keys]"));
  let current = -1;

  const behavior = () => (calm.matches ? "auto" : "smooth");
  const pane = compare.querySelector(".note");

  // Side by side the note stays in view, and its pane scrolls; one above the other the page does.
  function reveal(row, mark, target) {
    const beside = pane && pane.getBoundingClientRect().left > row.getBoundingClientRect().right;
    if (!beside) {
      target.scrollIntoView({ block: "center", behavior: behavior() });
      return;
    }
    const top = compare.getBoundingClientRect().top;
    const bottom = row.getBoundingClientRect().bottom;
    if (top > 0 && bottom - top < innerHeight) compare.scrollIntoView({ block: "start", behavior: behavior() });
    else row.scrollIntoView({ block: "nearest", behavior: behavior() });
    if (!mark) return;
    const at = mark.getBoundingClientRect().top - pane.getBoundingClientRect().top + pane.scrollTop;
    pane.scrollTo({ top: at - pane.clientHeight / 3, behavior: behavior() });
  }

  function select(index, focus) {
    if (index < 0 || index >= rows.length) return;
    for (const old of compare.querySelectorAll(".current")) old.classList.remove("current");
    current = index;
    const row = rows[index];
    const mine = marks.get(row.dataset.row) ?? [];
    for (const one of [row, ...mine]) one.classList.add("current");
    count.textContent = `${index + 1} of ${rows.length}`;
    const target = focus === "mark" && mine.length ? mine[0] : row;
    if (focus) target.focus({ preventScroll: true });
    reveal(row, mine[0], target);
  }

  function step(by, focus) {
    const next = current < 0 && by < 0 ? rows.length - 1 : (current + by + rows.length) % rows.length;
    select(next, focus);
  }

  compare.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const button = event.target.closest("[data-step]");
    if (button) {
      step(Number(button.dataset.step), "");
      return;
    }
    const mark = event.target.closest("a.mark");
    const row = event.target.closest("li[data-row]");
    const number = mark?.dataset.row ?? row?.dataset.row;
    const link = event.target.closest("a");
    if (!number || (link && !mark && !link.dataset.to)) return;
    if (!link && String(getSelection())) return; // words are being copied
    event.preventDefault();
    select(rows.findIndex((one) => one.dataset.row === number), mark ? "row" : "mark");
  });

  document.addEventListener("keydown", (event) => {
    const writing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
    if (!keys.checked || writing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "n") step(1, "row");
    else if (event.key === "p") step(-1, "row");
  });

  function byAddress() {
    const there = location.hash && document.getElementById(location.hash.slice(1))?.closest("[data-row]");
    if (there) select(rows.findIndex((one) => one.dataset.row === there.dataset.row), "");
  }
  addEventListener("hashchange", byAddress);
  count.textContent = `${rows.length} ${rows.length === 1 ? "sentence" : "sentences"}`;
  steps.hidden = false;
  byAddress();
})();
