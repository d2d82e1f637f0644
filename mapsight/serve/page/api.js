// Asking the server. Every answer names the state of the workspace that it was read from.

import { button, el, find } from "./dom.js";

const RETRIES = 4;
let state = null;
const stateListeners = [];

/** What the server said when it refused, or that it did not answer. */
class Refusal extends Error {
  constructor(status, message, field) {
    super(message);
    Object.assign(this, { status, field });
  }
}

export function onState(listener) {
  stateListeners.push(listener);
}

/** Ask, and return what the JSON holds; raises Refusal, or AbortError where `signal` says stop. */
export async function ask(path, query = "", { signal, body } = {}) {
  const answer = await request(path, query, { signal, body });
  const known = await answer.json();
  notice(known.state);
  return known;
}

export async function askFile(path, query, body) {
  return (await request(path, query, { body })).blob();
}

async function request(path, query, { signal, body }) {
  const words = String(query);
  const where = `api/v1/${path}${words ? `?${words}` : ""}`;
  for (let tries = 0; ; tries++) {
    const answer = await reached(where, { signal, ...sent(body) });
    if (answer.ok) return answer;
    if (answer.status === 401) await askForToken();
    else if (answer.status === 503 && tries < RETRIES) await later(answer, tries);
    else throw await refused(answer);
  }
}

async function reached(where, settings) {
  try {
    return await fetch(where, settings);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "The server does not answer. Is `mapsight serve` still running?");
  }
}

function sent(body) {
  if (body === undefined) return {};
  if (body instanceof FormData) return { method: "POST", body };
  const headers = { "Content-Type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(body) };
}

function later(answer, tries) {
  const seconds = Number(answer.headers.get("Retry-After")) || 0.5 * 2 ** tries;
  return new Promise((resolve) => setTimeout(resolve, Math.min(seconds, 10) * 1000));
}

async function refused(answer) {
  const text = await answer.text();
  try {
    const { error, field } = JSON.parse(text);
    return new Refusal(answer.status, error ?? text, field);
  } catch {
    return new Refusal(answer.status, `The server answered ${answer.status}.`);
  }
}

function notice(now) {
  if (!now || now === state) return;
  const before = state;
  state = now;
  if (before) for (const listener of stateListeners) listener(now);
}

let token = null;

/** Ask for the token of a server that wants one; the cookie that it sets is not for scripts. */
function askForToken() {
  token ??= new Promise((resolve) => {
    const input = el("input", { type: "password", id: "token", required: true, autocomplete: "off" });
    const wrong = el("p", { role: "alert" });
    const form = el("form.token",
      { on: { submit: (event) => enter(event, input, wrong, resolve) } },
      el("label", { for: "token" }, "This server asks for its token"),
      input,
      wrong,
      button({ text: "Open", type: "submit", class: "primary" }),
    );
    find("#token-dialog").replaceChildren(form);
    find("#token-dialog").showModal();
  });
  return token;
}

async function enter(event, input, wrong, resolve) {
  event.preventDefault();
  const answer = await reached("api/v1/token", sent({ token: input.value }));
  if (!answer.ok) {
    wrong.textContent = "That is not the token.";
    return;
  }
  token = null;
  find("#token-dialog").close();
  resolve();
}
