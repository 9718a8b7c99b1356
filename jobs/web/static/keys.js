// Keys of one letter can be switched off, as WCAG 2.1.4 asks: one box on each page, and one choice for all of them.

const NAME = "clinsum-keys"; // of notes nothing is ever stored

/** Sets a box as it was left, on this page or another one, and remembers what becomes of it. */
export function remembered(box) {
  try {
    box.checked = localStorage.getItem(NAME) !== "off";
    box.addEventListener("change", () => localStorage.setItem(NAME, box.checked ? "on" : "off"));
  } catch {
    // A browser that keeps nothing: the box works until the page is left.
  }
  return box;
}
