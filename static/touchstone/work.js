// What the work pages share: one page replaced by the next, and what is done when a save was refused.
// One file and not five: every module is a request more before the first page can be answered.

import { guard, t } from "./keys.js";

const SENDING_MS = 20_000;
const RETRY_SECONDS = [5, 10, 20, 30];
const SAVING_SHOWN_AFTER_MS = 300;
const NOT_SAVED = t("Not saved. Your ticks are still here.");
const NOT_TAKEN = t("The server could not take this. Your ticks are still here; tell a manager of the project.");
const LOST = t("This page went to someone else while it was open. Your ticks are kept; nothing more to do.");
const NOT_YOURS = t("This page is not yours to answer any more. Your ticks are still here; ask a manager of the project.");
const REFUSED = {
  401: t("You were logged out. Log in in a new tab; your ticks stay here."),
  403: t("You may not answer here as you are logged in now. Your ticks are still here; ask a manager of the project."),
  404: NOT_YOURS,
  410: NOT_YOURS,
  412: t("Someone else decided this page while it was open. Your ticks are still here."),
};

/** The element that holds one page of work; the next page replaces it. */
export function workRoot() {
  return document.querySelector("[data-work]");
}

// ---- sending ----

function csrfToken() {
  const cookie = /(?:^|; )(?:__Host-)?csrftoken=([^;]+)/.exec(document.cookie);
  return cookie?.[1] ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

/** Send JSON. The status is 0 when the server could not be reached, and 401 when it wants a login first. */
export async function sendJSON(url, method, body, headers = {}) {
  try {
    const response = await fetch(url, {
      method,
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken(), ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(SENDING_MS),
    });
    const answer = response.headers.get("Content-Type")?.includes("json") ? await response.json() : null;
    const comesBack = response.headers.has("Retry-After");
    return { status: response.redirected ? 401 : response.status, answer, comesBack };
  } catch {
    return { status: 0, answer: null };
  }
}

/** What a page's answer says no with. `isLost`: the page is someone else's now. `comesBack`: only wait a moment. */
function refusalIn(xhr) {
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  return {
    status: xhr.status < 400 ? 401 : xhr.status, // any other page in place of the work: they want a login first
    sentence: page.querySelector("[data-sentence]")?.textContent,
    isLost: page.querySelector("[data-lost]") !== null,
    comesBack: xhr.getResponseHeader("Retry-After") !== null,
  };
}

/** No server, a server in trouble, or the first copy still on its way: the same sending may succeed by itself. */
function mayWait({ status, comesBack }) {
  return status === 0 || status >= 500 || [408, 425, 429].includes(status) || (status === 409 && comesBack);
}

// ---- time ----

/** Seconds a person really spent: the page visible and uncovered, and a key, click or scroll within the last minute. */
export class ActiveTime {
  static IDLE_MS = 60_000;
  static LONGEST_TICK_MS = 2_000; // ticks come once a second; a longer gap is a sleeping computer or a hidden tab
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
      if (this.isActive()) this.seconds += Math.min(now - this.#lastTick, ActiveTime.LONGEST_TICK_MS) / 1000;
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

  restart(seconds = 0) {
    this.seconds = seconds;
    this.#lastTick = performance.now();
  }
}

// ---- the bars above the button: what was not saved, and apart from it a question ----

// A draft that got through says nothing about the answer, and nothing is mended once the page is someone else's.
const WEIGHT = { draft: 1, answer: 2, lost: 3 };
let shown = null; // what the bar of refusals is about now
let countdown = 0;
let tries = 0;
let tryAgain = null;

function fill(bar, sentence, actions) {
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

/**
 * Say that a draft or an answer was refused, and try again by itself where waiting can help.
 * `choices`: [[name, onPress], ...] where the person has to choose, in place of any other button.
 */
export function refused(about, refusal, retry) {
  const { status, sentence, isLost, choices } = refusal;
  const kind = isLost ? "lost" : about;
  const bar = workRoot()?.querySelector(".stay.refused");
  if (!bar || WEIGHT[kind] < WEIGHT[shown]) return;
  clearInterval(countdown);
  tryAgain = null;
  shown = kind;
  const tryNow = button(t("Try now"), retry);
  const logIn = link(t("Log in"), document.body.dataset.login ?? "/", { newTab: true });
  const next = link(t("Next page"), location.pathname + location.search);
  if (choices) {
    fill(bar, sentence, choices.map(([name, onPress]) => button(name, onPress)));
  } else if (mayWait(refusal)) {
    countDown(fill(bar, NOT_SAVED, [tryNow]), retry);
  } else if (status === 401) {
    fill(bar, sentence ?? REFUSED[401], [logIn, tryNow]);
  } else if (status === 403) {
    fill(bar, REFUSED[403], [logIn, tryNow]);
  } else if (status === 409 || status === 412) {
    const mine = workRoot().dataset.mineUrl;
    fill(bar, sentence ?? REFUSED[status] ?? LOST, isLost || !mine ? [next] : [link(t("My work"), mine), next]);
  } else {
    fill(bar, REFUSED[status] ?? NOT_TAKEN, []);
  }
}

function countDown(wait, retry) {
  tryAgain = () => {
    clearInterval(countdown);
    wait.textContent = ` ${t("Trying again now")}`;
    retry();
  };
  let left = RETRY_SECONDS[Math.min(tries++, RETRY_SECONDS.length - 1)];
  const show = () => (wait.textContent = ` ${t("Trying again in {n} s", { n: left })}`);
  show();
  countdown = setInterval(() => {
    left -= 1;
    show();
    if (left <= 0) tryAgain();
  }, 1000);
}

// The line is back: nobody needs to wait for the end of the count.
addEventListener("online", () => tryAgain?.());

/** That is saved now, or no longer wanted: take away the bar, if it is about that, and stop trying. */
export function settled(about) {
  if (shown !== about) return;
  clearBar();
  const bar = workRoot()?.querySelector(".stay.refused");
  if (bar) bar.hidden = true;
}

function clearBar() {
  shown = null;
  tries = 0;
  tryAgain = null;
  clearInterval(countdown);
}

/** Ask one thing above the button, for instance "Still there?"; null takes the question away. */
export function ask(sentence, action, onPress) {
  const bar = workRoot()?.querySelector(".stay.ask");
  if (bar && sentence === null) bar.hidden = true;
  else if (bar) fill(bar, sentence, [button(action, onPress)]);
}

// ---- answers that could not be sent, kept on this machine until they are: whose, of which page, and from when ----

const UNSENT = "touchstone.unsent.";
const SPENT = "touchstone.spent.";
const KEPT_DAYS = 14;
let openedAt = 0;

const nameOf = (root) => `${UNSENT}${root.dataset.person}.${root.dataset.place}`;

/** The server's clock, in ms, as far as the page knows it: this computer's may be wrong by hours. */
export function serverTime(root) {
  return Date.parse(root.dataset.now) + (performance.now() - openedAt);
}

/** Run what needs the store of this browser; it may be full or forbidden, and the ticks are on the screen anyway. */
function withStore(work) {
  try {
    return work(localStorage);
  } catch {
    return null;
  }
}

/** `version` is that of the draft these ticks were made upon. */
export function keepHere(root, answer, version) {
  withStore((store) => store.setItem(nameOf(root), JSON.stringify({ at: serverTime(root), answer, version })));
}

/** What this person kept of this page here: {answer, version}, or null. */
export function takeBack(root) {
  return withStore((store) => JSON.parse(store.getItem(nameOf(root))));
}

/** The time spent on a page that is left for a moment, for an earlier answer say: this tab goes on counting from it. */
export function keepSpent(root, seconds) {
  if (root.dataset.place) withStore(() => sessionStorage.setItem(SPENT + root.dataset.place, seconds));
}

export function takeSpent(root) {
  return withStore(() => {
    const spent = Number(sessionStorage.getItem(SPENT + root.dataset.place));
    sessionStorage.removeItem(SPENT + root.dataset.place);
    return spent;
  }) || 0;
}

export function forget(root) {
  withStore((store) => store.removeItem(nameOf(root)));
}

/** On a shared computer nobody finds what another person ticked; what is old goes, too. */
function forgetOthers(root) {
  const own = `${UNSENT}${root.dataset.person}.`;
  const oldest = Date.now() - KEPT_DAYS * 24 * 3600 * 1000;
  const isFresh = (name) => withStore((store) => JSON.parse(store.getItem(name)).at) > oldest;
  withStore((store) => {
    for (const name of Object.keys(store).filter((each) => each.startsWith(UNSENT))) {
      if (!name.startsWith(own) || !isFresh(name)) store.removeItem(name);
    }
  });
}

/** A new key for an answer that changed after its first sending: the old key belongs to the old answer. */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ---- swapping ----

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

function takesFocus(root) {
  const target = root.querySelector(".errors") ?? root.querySelector("h1");
  target?.setAttribute("tabindex", "-1");
  target?.focus({ preventScroll: false });
}

/** What is beside the answer was not taken: what was written there stays, and the answer has nothing to do with it. */
function sayAside(control, { status, sentence }) {
  const line = control.closest("div").querySelector("[data-aside-say]");
  if (!line) return;
  line.textContent = `${t("Not sent: what you wrote is still here.")} ${sentence ?? REFUSED[status] ?? t("Try again in a moment.")}`;
  line.setAttribute("role", "alert");
  line.hidden = false;
}

/**
 * Follow the page through its swaps.
 * mount(root, {isSame}): a page is on the screen, the same one again after a refused form.
 * onSend(form, parameters): it is about to be sent. onTaken(): the server took it.
 * onRefused(refusal, retry): the server did not, and nothing was replaced.
 */
export function follow({ mount, onSend, onRefused, onTaken }) {
  let current = null;
  const mountCurrent = () => {
    const root = workRoot();
    if (root === null || root === current) return;
    const isFirst = current === null;
    const isSame = current?.dataset.work === root.dataset.work;
    const hasErrors = root.querySelector(".errors") !== null;
    current = root;
    openedAt = performance.now();
    clearBar();
    guard();
    if (root.dataset.person) forgetOthers(root);
    mount(root, { isSame });
    if (hasErrors || !(isFirst || isSame)) takesFocus(root);
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
  const refuse = ({ requestConfig }, refusal) => {
    if (requestConfig.elt.matches("[data-aside]")) sayAside(requestConfig.elt, refusal);
    else if (requestConfig.verb !== "get") onRefused(refusal, () => requestConfig.elt.requestSubmit());
  };
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.requestConfig.elt.matches("[data-aside]")) return; // beside the work: it replaces only itself
    // A lost page, a login page or any other page must not replace the ticks on the screen.
    const isWork = detail.xhr.status !== 409 && detail.serverResponse.includes("data-work=");
    if (detail.shouldSwap && !isWork) {
      detail.shouldSwap = false;
      refuse(detail, refusalIn(detail.xhr));
    } else if (detail.shouldSwap && detail.xhr.status < 400) {
      if (detail.requestConfig.verb !== "get") onTaken();
      document.body.dataset.cover = document.body.dataset.coverAlways === "on" ? "on" : "off";
    }
  });
  document.addEventListener("htmx:responseError", ({ detail }) => refuse(detail, refusalIn(detail.xhr)));
  for (const kind of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(kind, ({ detail }) => refuse(detail, { status: 0 }));
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

// ---- labels ----

/** Open the meaning of one label, and close the others. */
export function explain(root, key) {
  for (const about of root.querySelectorAll("[data-about]")) about.open = about.dataset.about === key;
}

/** Type to find a label: Enter or Escape leads to the first that is left. `rows` carry data-name. */
export function offerFilter(root, rows, onFound) {
  const field = root.querySelector("[data-filter]");
  const narrow = () => {
    const wanted = field.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.dataset.name.toLowerCase().includes(wanted);
  };
  field.addEventListener("input", narrow);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    const first = rows.find((row) => !row.hidden);
    field.value = "";
    narrow();
    if (!first) return;
    (first.querySelector(":checked") ?? first.querySelector("input")).focus();
    onFound(first);
  });
}
