// The annotate page: one key per label, the answer said in words, the draft saved on every change.

import { listen } from "./keys.js";
import {
  accepted, ActiveTime, ask, askBeforeLeaving, explain, follow, forget, freshKey, keepHere, offerComfort, refused,
  sendJSON, takeBack, workRoot,
} from "./work.js";

const NOTE_PAUSE_MS = 800;
const LAST_CALL_SECONDS = 120;
const RENEW_AGAIN_MS = 15_000;

let page = null;

// ---- the answer on the screen ----

const rowsOf = (root) => [...root.querySelectorAll(".row[data-label]")];
const verdictOf = (row) => row.querySelector(":checked")?.value ?? "no";
const noneOf = (root) => root.querySelector("[name=none]");

function setVerdict(row, verdict) {
  row.querySelector(`[value="${verdict}"]`).checked = true;
}

/** The answer as the server takes it: what is not named is "no". */
export function readAnswer(root) {
  const named = (verdict) => rowsOf(root).filter((row) => verdictOf(row) === verdict).map((row) => row.dataset.label);
  return {
    yes: named("yes"),
    unsure: named("unsure"),
    none: noneOf(root).checked,
    note: root.querySelector("[name=note]").value,
  };
}

function writeAnswer(root, answer) {
  for (const row of rowsOf(root)) {
    const key = row.dataset.label;
    setVerdict(row, answer.yes.includes(key) ? "yes" : answer.unsure.includes(key) ? "unsure" : "no");
  }
  noneOf(root).checked = answer.none;
  root.querySelector("[name=note]").value = answer.note;
}

/** What will be recorded, in words: the named part (set in bold) and the rest. */
export function inWords(rows, isNone) {
  const named = rows.filter(({ verdict }) => verdict !== "no");
  const others = rows.length - named.length;
  if (named.length === 0) {
    return isNone
      ? { strong: "None of these topics", rest: `: no for all ${rows.length}.` }
      : { strong: "", rest: "Nothing chosen yet: tick a topic, or None of these topics." };
  }
  const strong = named.map(({ name, verdict }) => `${name} ${verdict}`).join(", ");
  const rest = { 0: ".", 1: ", and no for the other one." }[others] ?? `, and no for the other ${others}.`;
  return { strong, rest };
}

function say(root) {
  const rows = rowsOf(root).map((row) => ({ name: row.dataset.name, verdict: verdictOf(row) }));
  const { strong, rest } = inWords(rows, noneOf(root).checked);
  const line = root.querySelector("[role=status]");
  const bold = document.createElement("b");
  bold.textContent = strong;
  line.replaceChildren(bold, rest);
}

// ---- the draft ----

function draftOf(root) {
  const note = root.querySelector("[data-draft]");
  let changes = 0;
  let saved = 0;
  let isSending = false;
  let isClosed = false;
  let pause = 0;

  async function send() {
    clearTimeout(pause);
    if (isSending || isClosed || !root.isConnected) return;
    isSending = true;
    const sent = changes;
    const { status } = await sendJSON(root.dataset.draftUrl, "PUT", readAnswer(root));
    isSending = false;
    if (isClosed || !root.isConnected) return;
    if (status >= 200 && status < 300) {
      saved = sent;
      forget(root.dataset.work);
      if (!page.isRefused) accepted(); // a refused answer keeps its bar and its retry
      note.hidden = saved !== changes;
    } else {
      keepHere(root.dataset.work, readAnswer(root));
      refused(status, send);
      return;
    }
    if (saved !== changes) send();
  }

  return {
    changed({ afterMs = 0 } = {}) {
      changes += 1;
      note.hidden = true;
      clearTimeout(pause);
      pause = setTimeout(send, afterMs);
    },
    isUnsaved: () => !isClosed && saved !== changes,
    pause: () => clearTimeout(pause),
    close: () => (isClosed = true),
  };
}

// ---- the lease ----

function leaseOf(root) {
  const seconds = (Date.parse(root.dataset.expires) - Date.parse(root.dataset.now)) / 1000;
  let length = seconds;
  let endsAt = performance.now() + seconds * 1000;
  let notBefore = 0;
  let hasAsked = false;
  const left = () => (endsAt - performance.now()) / 1000;

  async function renew() {
    if (performance.now() < notBefore) return;
    notBefore = performance.now() + RENEW_AGAIN_MS;
    const { status, answer } = await sendJSON(root.dataset.renewUrl, "POST", {});
    if (!root.isConnected) return;
    if (status >= 200 && status < 300) {
      const until = Date.parse(answer?.assignment?.lease_expires_at ?? "");
      const drift = Date.parse(root.dataset.now) - page.openedAt;
      length = Number.isNaN(until) ? seconds : (until - (Date.now() + drift)) / 1000;
      endsAt = performance.now() + length * 1000;
      if (hasAsked) accepted();
      hasAsked = false;
    } else if (status === 409) {
      refused(409);
    }
    // Anything else is asked again later, and submitting will say what is wrong.
  }

  return function watch(isActive) {
    if (Number.isNaN(seconds) || left() <= 0) return;
    if (isActive && left() < (length * 2) / 3) {
      renew();
    } else if (!isActive && left() < LAST_CALL_SECONDS && !hasAsked) {
      hasAsked = true;
      ask("Still there? This page goes to someone else in 2 minutes.", "Keep this page", renew);
    }
  };
}

// ---- one page of work ----

function changed(row) {
  const { root, draft } = page;
  if (page.wasSent) {
    root.querySelector("[name=idempotency_key]").value = freshKey();
    page.wasSent = false;
    page.isRefused = false; // from here on the draft tells what is saved
  }
  if (row) explain(root, row.dataset.label);
  say(root);
  draft.changed();
}

function toggle(row, verdict) {
  setVerdict(row, verdictOf(row) === verdict ? "no" : verdict);
  if (verdictOf(row) !== "no") noneOf(page.root).checked = false;
  row.scrollIntoView({ block: "nearest" });
  changed(row);
}

function onChange(event) {
  const { root } = page;
  const row = event.target.closest(".row[data-label]");
  if (row) {
    if (event.target.value !== "no") noneOf(root).checked = false;
    changed(row);
  } else if (event.target.name === "none") {
    if (event.target.checked) rowsOf(root).forEach((each) => setVerdict(each, "no"));
    changed(null);
  }
}

function narrow(root, words) {
  const wanted = words.trim().toLowerCase();
  for (const row of rowsOf(root)) row.hidden = !row.dataset.name.toLowerCase().includes(wanted);
}

function leaveFilter(root, field) {
  const first = rowsOf(root).find((row) => !row.hidden);
  field.value = "";
  narrow(root, "");
  if (!first) return;
  (first.querySelector(":checked") ?? first.querySelector("input")).focus();
  explain(root, first.dataset.label);
}

function mount(root) {
  page = { root, draft: null, lease: null, wasSent: false, isRefused: false, openedAt: Date.now() };
  time.restart();
  const form = root.querySelector("[data-answer]");
  if (!form) return;
  page.draft = draftOf(root);
  page.lease = leaseOf(root);
  const kept = takeBack(root.dataset.work);
  if (kept) {
    writeAnswer(root, kept);
    page.draft.changed();
  }
  say(root);
  const ticked = rowsOf(root).find((row) => verdictOf(row) !== "no");
  if (ticked) explain(root, ticked.dataset.label);
  form.addEventListener("change", onChange);
  form.addEventListener("input", (event) => {
    if (event.target.name === "note") page.draft.changed({ afterMs: NOTE_PAUSE_MS });
  });
  for (const kind of ["focusin", "pointerover"]) {
    form.addEventListener(kind, (event) => {
      const row = event.target.closest(".row[data-label]");
      if (row) explain(root, row.dataset.label);
    });
  }
  const filter = root.querySelector("[data-filter]");
  filter.addEventListener("input", () => narrow(root, filter.value));
  filter.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    leaveFilter(root, filter);
  });
}

// A covered page stays with the person: the clock stands still, the lease does not run out.
const isCovered = () => document.visibilityState === "visible" && document.body.dataset.cover === "on";
const time = new ActiveTime(() => page?.lease?.(time.isActive() || isCovered()));

follow({
  mount,
  onSend(form, parameters) {
    page.draft.pause();
    // A repeated sending must be the same in every byte, so the time stands still after the first.
    const field = form.querySelector("[name=active_seconds]");
    if (!page.wasSent) field.value = time.seconds.toFixed(1);
    parameters.active_seconds = field.value;
    page.wasSent = true;
  },
  onRefused(status, retry, sentence) {
    // Given to someone else: the server kept the ticks as a draft, and nothing is left to save here.
    page.isRefused = status !== 409;
    if (!page.isRefused) page.draft?.close();
    else if (page.draft) keepHere(page.root.dataset.work, readAnswer(page.root));
    refused(status, retry, sentence);
  },
  onTaken() {
    page.draft?.close();
    page.isRefused = false;
    forget(page.root.dataset.work);
    accepted();
  },
});
offerComfort();
askBeforeLeaving(() => Boolean(page?.isRefused || page?.draft?.isUnsaved()));
listen({
  onLetter(letter, { shift }) {
    const row = workRoot()?.querySelector(`.row[data-letter="${letter}"]`);
    if (!row) return false;
    toggle(row, shift ? "unsure" : "yes");
    return true;
  },
});
