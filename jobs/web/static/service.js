// Asks the service for a summary, and says in plain words why there is none.

const TRIES = 5;
const PATIENCE = 30; // seconds that it is worth waiting by itself

const WORDS = {
  "forbidden": ["Your sign-in does not allow this", "Ask who runs the service for the right to summarise."],
  "too-large": ["The note is too large", ""],
  "unsupported-type": ["This kind of file holds no text that can be read", "Text, PDF, Word, RTF, HTML, C-CDA and FHIR can be read."],
  "unreadable-note": ["The file could not be read", ""],
  "too-many-requests": ["Too many notes in a short time", "Wait a little, then try again."],
  "queue-full": ["The service is busy", "Many notes are being read at the moment. Try again in a little while."],
  "model-unavailable": ["The model is not available", "It could not be loaded. Who runs the service finds the reason in its log."],
  "shutting-down": ["The service is restarting", "Try again in a minute."],
  "timeout": ["Reading the note took too long", "Try again, or try a part of it."],
  "slow-request": ["The note took too long to arrive", "The network seems to be slow. Try again."],
  "internal-error": ["The service failed on this note", "Trying again may help; else tell who runs the service."],
};

/** Why there is no summary: a heading, plain words, and what can be done. */
export class Refusal extends Error {
  constructor(title, words, { again = false, signIn = false } = {}) {
    super(title);
    this.title = title;
    this.words = words;
    this.again = again;
    this.signIn = signIn;
  }
}

/** What is asked about: text as it was typed. */
export function pasted(text) {
  return { name: "", text: text.toWellFormed ? text.toWellFormed() : text };
}

/** What is asked about: a file, read now, so that asking again does not depend on it. */
export async function file(given) {
  try {
    return { name: given.name, type: given.type, bytes: await given.arrayBuffer() };
  } catch {
    throw new Refusal("The file could not be opened", "It may be a folder, or have been moved.");
  }
}

/**
 * The service's answer to a source, with text and ranks.
 *
 * @param source of `pasted` or `file`
 * @param budget number of sentences, or null for the service's own choice
 * @param signal stops it
 * @param waiting told the seconds left before it asks a busy service again
 */
export async function summarise(source, { budget = null, signal, waiting = () => {} } = {}) {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask(source, budget, signal);
    if (answer.ok) return withText(await read(answer), source);
    const refusal = await refusalOf(answer);
    const pause = Number(answer.headers.get("Retry-After"));
    if (!refusal.again || !(pause > 0 && pause <= PATIENCE) || tries === TRIES) throw refusal;
    await rest(pause, signal, waiting);
  }
}

async function ask(source, budget, signal) {
  const query = new URLSearchParams({ include_ranks: "true" });
  let body = source.bytes;
  let type = source.type || "application/octet-stream";
  if (source.bytes) {
    query.set("include_text", "true");
    if (budget !== null) query.set("budget", String(budget));
  } else {
    type = "application/json";
    body = JSON.stringify(budget === null ? { text: source.text } : { text: source.text, budget });
  }
  const request = { method: "POST", body, signal, cache: "no-store", headers: { "Content-Type": type, "Accept": "application/json" } };
  try {
    return await fetch(`/v1/summaries?${query}`, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The service cannot be reached", "Check the network, then try again. The note is still here.", { again: true });
  }
}

async function read(answer) {
  try {
    return await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The answer did not arrive whole", "Try again. The note is still here.", { again: true });
  }
}

function withText(answer, source) {
  return { ...answer, content: source.bytes ? answer.text.content : source.text };
}

async function refusalOf(answer) {
  if (answer.status === 401) return new Refusal("You are signed out", "Sign in again in another tab, then try again.", { signIn: true, again: true });
  let problem = {};
  try {
    problem = await answer.json();
  } catch {
    // Not the service's own answer: a proxy's page, or one cut short.
  }
  const [title, words] = WORDS[problem.code] ?? ["The service gave no summary", `Its answer was ${problem.title ?? `status ${answer.status}`}`];
  const again = answer.status >= 500 || answer.status === 429 || answer.status === 408;
  return new Refusal(title, problem.detail || words, { again });
}

async function rest(seconds, signal, waiting) {
  for (let left = Math.ceil(seconds); left > 0; left -= 1) {
    waiting(left);
    await new Promise((done, fail) => {
      const timer = setTimeout(done, 1000);
      signal?.addEventListener("abort", () => { clearTimeout(timer); fail(new DOMException("stopped", "AbortError")); }, { once: true });
    });
  }
}
