// What both work pages share: one page replaced by the next, comfort for the reader, and saves that were refused.

import { guard, showKeys } from "./keys.js";

const RETRY_SECONDS = [5, 10, 20, 30];
const SAVING_SHOWN_AFTER_MS = 300;
const REFUSED = {
  401: "You were logged out. Log in in a new tab; your ticks stay here.",
  403: "You may not answer in this project any more. Your ticks are still here; ask a manager of the project.",
  409: "This page went to someone else while it was open. Your ticks are kept; nothing more to do.",
  412: "Someone else decided this page while it was open. Your ticks are still here.",
};
const NOT_SAVED = "Not saved. Your ticks are still here.";

/** The element that holds one page of work; the next page replaces it. */
export function workRoot() {
  return document.querySelector("[data-work]");
}

function csrfToken() {
  const cookie = /(?:^|; )(?:__Host-)?csrftoken=([^;]+)/.exec(document.cookie);
  return cookie?.[1] ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

/** Send JSON and return the status; 0 when the server could not be reached, 401 when it wants a login first. */
export async function sendJSON(url, method, body) {
  try {
    const response = await fetch(url, {
      method,
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
    const answer = response.headers.get("Content-Type")?.includes("json") ? await response.json() : null;
    return { status: response.redirected ? 401 : response.status, answer };
  } catch {
    return { status: 0, answer: null };
  }
}

/** Seconds a person really spent: the page visible and uncovered, and a key, click or scroll within the last minute. */
export class ActiveTime {
  static IDLE_MS = 60_000;
  seconds = 0;
  #lastInput = performance.now();
  #lastTick = performance.now();

  constructor(onTick) {
    const touch = () => (this.#lastInput = performance.now());
    for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "scroll", "touchstart"]) {
      addEventListener(kind, touch, { passive: true, capture: true });
    }
    setInterval(() => {
      const now = performance.now();
      if (this.isActive()) this.seconds += (now - this.#lastTick) / 1000;
      this.#lastTick = now;
      onTick();
    }, 1000);
  }

  isActive() {
    return (
      document.visibilityState === "visible" &&
      document.body.dataset.cover !== "on" &&
      performance.now() - this.#lastInput < ActiveTime.IDLE_MS
    );
  }

  restart() {
    this.seconds = 0;
    this.#lastTick = performance.now();
  }
}

// ---- the bar above the button ----

let countdown = 0;
let tries = 0;

function fillBar(sentence, actions) {
  const bar = workRoot()?.querySelector(".stay");
  if (!bar) return null;
  clearInterval(countdown);
  const words = document.createElement("span");
  words.setAttribute("role", "alert");
  words.textContent = sentence;
  const wait = document.createElement("span");
  wait.setAttribute("aria-hidden", "true");
  const text = document.createElement("span");
  text.append(words, wait);
  bar.replaceChildren(text, ...actions);
  bar.hidden = false;
  return wait;
}

function button(name, onPress) {
  const control = document.createElement("button");
  control.type = "button";
  control.className = "btn";
  control.textContent = name;
  control.addEventListener("click", onPress);
  return control;
}

function link(name, href, { newTab = false } = {}) {
  const control = document.createElement("a");
  control.className = "btn";
  control.textContent = name;
  control.href = href;
  if (newTab) {
    control.target = "_blank";
    control.rel = "noopener";
  }
  return control;
}

/** Ask one thing above the button, for instance "Still there?". */
export function ask(sentence, action, onPress) {
  fillBar(sentence, [button(action, onPress)]);
}

/** Say that a save was refused, and try again by itself where trying again can help. */
export function refused(status, retry, sentence = REFUSED[status]) {
  const tryNow = button("Try now", retry);
  if (status === 401) {
    fillBar(REFUSED[401], [link("Log in", document.body.dataset.login ?? "/", { newTab: true }), tryNow]);
  } else if (status === 409 || status === 412) {
    fillBar(sentence, [link("Next page", location.pathname)]);
  } else if (status === 403) {
    fillBar(sentence, [tryNow]);
  } else {
    const wait = fillBar(NOT_SAVED, [tryNow]);
    if (wait !== null) countDown(wait, retry);
  }
}

function countDown(wait, retry) {
  let left = RETRY_SECONDS[Math.min(tries++, RETRY_SECONDS.length - 1)];
  const show = () => (wait.textContent = ` Trying again in ${left} s`);
  show();
  countdown = setInterval(() => {
    left -= 1;
    show();
    if (left > 0) return;
    clearInterval(countdown);
    wait.textContent = " Trying again now";
    retry();
  }, 1000);
}

/** The server has everything: take the bar away. */
export function accepted() {
  tries = 0;
  clearInterval(countdown);
  const bar = workRoot()?.querySelector(".stay");
  if (bar) bar.hidden = true;
}

// ---- answers that could not be sent, kept on this machine until they are ----

export function keepHere(name, value) {
  try {
    localStorage.setItem(`touchstone.unsent.${name}`, JSON.stringify(value));
  } catch {
    // A full or forbidden store: the ticks are still on the screen, and leaving asks first.
  }
}

export function takeBack(name) {
  try {
    return JSON.parse(localStorage.getItem(`touchstone.unsent.${name}`) ?? "null");
  } catch {
    return null;
  }
}

export function forget(name) {
  try {
    localStorage.removeItem(`touchstone.unsent.${name}`);
  } catch {
    // Nothing was kept.
  }
}

/** A new key for an answer that changed after its first sending: the old key belongs to the old answer. */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ---- sending and swapping ----

function showSaving(form) {
  const control = form.querySelector("[data-saving]");
  if (!control) return;
  const words = control.querySelector("[data-words]");
  const before = words.textContent;
  const timer = setTimeout(() => {
    control.setAttribute("aria-busy", "true");
    words.textContent = control.dataset.saving;
  }, SAVING_SHOWN_AFTER_MS);
  document.addEventListener(
    "htmx:afterRequest",
    () => {
      clearTimeout(timer);
      control.removeAttribute("aria-busy");
      words.textContent = before;
    },
    { once: true },
  );
}

function sentenceIn(html) {
  return new DOMParser().parseFromString(html, "text/html").querySelector("[data-sentence]")?.textContent;
}

function takesFocus(root) {
  const target = root.querySelector(".errors") ?? root.querySelector("h1");
  target?.setAttribute("tabindex", "-1");
  target?.focus({ preventScroll: false });
}

/**
 * Follow the page through its swaps.
 * mount(root): a page is on the screen. onSend(form, parameters): it is about to be sent.
 * onRefused(status, retry, sentence): the server did not take it and nothing was replaced. onTaken(form): it did.
 */
export function follow({ mount, onSend, onRefused, onTaken }) {
  let current = null;
  const mountCurrent = () => {
    const root = workRoot();
    if (root === null || root === current) return;
    const first = current === null;
    const samePage = current?.dataset.work === root.dataset.work && !root.querySelector(".errors");
    current = root;
    guard();
    mount(root);
    if (!samePage && (!first || root.querySelector(".errors"))) takesFocus(root);
  };

  document.addEventListener("htmx:configRequest", ({ detail }) => {
    detail.headers["X-CSRFToken"] = csrfToken();
    if (detail.verb === "get") return;
    // The token goes in the header alone: logging in again changes it, and a repeated body must stay the same.
    delete detail.parameters.csrfmiddlewaretoken;
    if (detail.elt.matches("[data-answer]")) onSend(detail.elt, detail.parameters);
  });
  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.elt.matches("[data-answer]")) showSaving(detail.elt);
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    // A lost page, a login page or any other page must not replace the ticks on the screen.
    const isWork = detail.xhr.status !== 409 && detail.serverResponse.includes("data-work=");
    if (detail.shouldSwap && !isWork) {
      detail.shouldSwap = false;
      const { status } = detail.xhr;
      if (detail.requestConfig.verb === "get") return;
      onRefused(status < 400 ? 401 : status, retryOf(detail), sentenceIn(detail.serverResponse));
    } else if (detail.shouldSwap && detail.xhr.status < 400) {
      if (detail.requestConfig.verb !== "get") onTaken(detail.requestConfig.elt);
      document.body.dataset.cover = document.body.dataset.coverAlways === "on" ? "on" : "off";
    }
  });
  const retryOf = (detail) => () => detail.requestConfig.elt.requestSubmit();
  document.addEventListener("htmx:responseError", ({ detail }) => {
    if (detail.requestConfig.verb !== "get") onRefused(detail.xhr.status, retryOf(detail));
  });
  for (const kind of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(kind, ({ detail }) => {
      if (detail.requestConfig.verb !== "get") onRefused(0, retryOf(detail));
    });
  }
  document.addEventListener("htmx:afterSettle", mountCurrent);
  mountCurrent();
}

/** Ask before leaving only while something is not saved. */
export function askBeforeLeaving(isUnsaved) {
  addEventListener("beforeunload", (event) => {
    if (isUnsaved()) event.preventDefault();
  });
}

/** Open the meaning of one label, and close the others. */
export function explain(root, key) {
  for (const about of root.querySelectorAll("[data-about]")) about.open = about.dataset.about === key;
}

// ---- comfort: cover, larger text, all keys, copy ----

const TEXT_SIZE = "touchstone.text";

function setPressed(name, isOn) {
  for (const control of document.querySelectorAll(`[data-act="${name}"]`)) control.setAttribute("aria-pressed", isOn);
}

const ACTS = {
  cover() {
    const isOn = document.body.dataset.cover !== "on";
    document.body.dataset.cover = isOn ? "on" : "off";
    setPressed("cover", isOn);
  },
  larger() {
    const isOn = document.documentElement.dataset.text !== "larger";
    document.documentElement.dataset.text = isOn ? "larger" : "normal";
    setPressed("larger", isOn);
    localStorage.setItem(TEXT_SIZE, isOn ? "larger" : "normal");
  },
  keys() {
    showKeys(document.querySelector("#keys"));
  },
  async copy(control) {
    await navigator.clipboard.writeText(control.dataset.copy);
    control.textContent = "Address copied";
  },
};

/** Wire the controls that carry data-act. */
export function offerComfort() {
  document.documentElement.dataset.text = localStorage.getItem(TEXT_SIZE) ?? "normal";
  setPressed("larger", document.documentElement.dataset.text === "larger");
  setPressed("cover", document.body.dataset.cover === "on");
  document.addEventListener("click", (event) => {
    const control = event.target.closest("[data-act]");
    if (control) {
      control.closest("details.menu")?.removeAttribute("open");
      ACTS[control.dataset.act](control);
    }
  });
  document.addEventListener("htmx:afterSettle", () => setPressed("cover", document.body.dataset.cover === "on"));
}
