// The annotate page: one key per label, the answer said in words, the draft saved on every change.
// The page that changes an answer is the same form without a draft; it holds the lease of the page that was left.

import { listen, offerComfort, t } from "./keys.js";
import {
  ActiveTime, ask, askBeforeLeaving, explain, follow, forget, freshKey, keepHere, keepSpent, offerFilter, refused,
  sendJSON, serverTime, settled, takeBack, takeSpent, workRoot,
} from "./work.js";

const NOTE_PAUSE_MS = 800;
const LAST_CALL_SECONDS = 120;
const RENEW_AGAIN_MS = 15_000;

let page = null;

// ---- the answer on the screen ----

const rowsOf = (root) => [...root.querySelectorAll(".row[data-label]")];
const verdictOf = (row) => row.querySelector(":checked")?.value ?? "no";
const noneOf = (root) => root.querySelector("[name=none]");
const levelsOf = (root) => [...root.querySelectorAll("[name=confidence]")];

function setVerdict(row, verdict) {
  row.querySelector(`[value="${verdict}"]`).checked = true;
}

/** The answer as the server takes it: what is not named is "no". */
function readAnswer(root) {
  const named = (verdict) => rowsOf(root).filter((row) => verdictOf(row) === verdict).map((row) => row.dataset.label);
  return {
    yes: named("yes"),
    unsure: named("unsure"),
    none: noneOf(root).checked,
    confidence: levelsOf(root).find((level) => level.checked)?.value ?? null,
    note: root.querySelector("[name=note]").value,
  };
}

function writeAnswer(root, answer) {
  for (const row of rowsOf(root)) {
    const key = row.dataset.label;
    setVerdict(row, answer.yes.includes(key) ? "yes" : answer.unsure.includes(key) ? "unsure" : "no");
  }
  noneOf(root).checked = answer.none;
  for (const level of levelsOf(root)) level.checked = level.value === answer.confidence;
  const note = root.querySelector("[name=note]");
  note.value = answer.note;
  if (answer.note) note.closest("details").open = true;
}

const SAID = { yes: (name) => t("{name} yes", { name }), unsure: (name) => t("{name} unsure", { name }) };

/** What will be recorded, in words: the named part (set in bold) and the rest. */
function inWords(rows, isNone) {
  const named = rows.filter(({ verdict }) => verdict !== "no");
  const others = rows.length - named.length;
  if (named.length === 0) {
    return isNone
      ? { strong: t("None of these topics"), rest: t(": no for all {n}.", { n: rows.length }) }
      : { strong: "", rest: t("Nothing chosen yet: tick a topic, or None of these topics.") };
  }
  const strong = named.map(({ name, verdict }) => SAID[verdict](name)).join(", ");
  const rest =
    { 0: ".", 1: t(", and no for the other one.") }[others] ?? t(", and no for the other {n}.", { n: others });
  return { strong, rest };
}

function say(root, aside = "") {
  const rows = rowsOf(root).map((row) => ({ name: row.dataset.name, verdict: verdictOf(row) }));
  const { strong, rest } = inWords(rows, noneOf(root).checked);
  const line = root.querySelector("[role=status]");
  const bold = document.createElement("b");
  bold.textContent = strong;
  line.replaceChildren(bold, rest, aside && ` ${aside}`);
}

// ---- labels under labels, and labels that exclude each other ----

const WEIGHT_OF = { no: 0, unsure: 1, yes: 2 };
const namesOf = (rows) => rows.map((row) => row.dataset.name).join(` ${t("and")} `);
const groupsOf = (row) => row.dataset.groups?.split(" ") ?? [];

function rowsAbove(rows, row) {
  const parent = rows.find((each) => each.dataset.label === row.dataset.parent);
  return parent ? [parent, ...rowsAbove(rows, parent)] : [];
}

/** Take the labels under this one down to its verdict; the ones that changed. */
function lowerBelow(rows, row) {
  const verdict = verdictOf(row);
  const lowered = rows.filter(
    (each) => rowsAbove(rows, each).includes(row) && WEIGHT_OF[verdictOf(each)] > WEIGHT_OF[verdict],
  );
  for (const each of lowered) setVerdict(each, verdict);
  return lowered;
}

/**
 * Bring the other labels in line with one just answered, as the server would: a label implies those above it, and the
 * second yes in a group takes the first away. What that changed, in words.
 */
function bringInLine(root, row) {
  const rows = rowsOf(root);
  const verdict = verdictOf(row);
  const { name } = row.dataset;
  const said = [];
  const lowered = lowerBelow(rows, row);
  if (lowered.length) said.push(t("{names} went with {name}.", { names: namesOf(lowered), name }));
  const above = rowsAbove(rows, row);
  const raised = above.filter((each) => WEIGHT_OF[verdictOf(each)] < WEIGHT_OF[verdict]);
  for (const each of raised) setVerdict(each, verdict);
  if (raised.length) said.push(t("{names} ticked too, as {name} is part of it.", { names: namesOf(raised), name }));
  for (const now of verdict === "yes" ? [row, ...above] : []) {
    const excluded = rows.filter(
      (each) => each !== now && verdictOf(each) === "yes" && groupsOf(each).some((one) => groupsOf(now).includes(one)),
    );
    for (const each of excluded) {
      setVerdict(each, "no");
      lowerBelow(rows, each);
      const both = { first: each.dataset.name, second: now.dataset.name };
      said.push(t("{first} and {second} exclude each other: {first} is taken away.", both));
    }
  }
  return said.join(" ");
}

// ---- the draft ----

const elsewhere = () => t("You ticked this page on another device meanwhile.");

/** The same answer, whatever the order in which it was ticked. */
function saysTheSame(one, other) {
  const plain = ({ yes, unsure, none, confidence, note }) =>
    JSON.stringify([[...yes].sort(), [...unsure].sort(), none, confidence ?? null, note]);
  return plain(one) === plain(other);
}

/** An answer that is not on the screen, as one line. */
function saidIn(root, answer) {
  const rows = rowsOf(root).map(({ dataset: { label, name } }) => ({
    name,
    verdict: answer.yes.includes(label) ? "yes" : answer.unsure.includes(label) ? "unsure" : "no",
  }));
  const said = inWords(rows, answer.none).strong || t("nothing chosen");
  return answer.note ? t("{said}, with the note “{note}”", { said, note: answer.note }) : said;
}

function draftOf(root) {
  const note = root.querySelector("[data-draft]");
  let version = root.dataset.version; // of the draft as the server has it; "" while there is none
  let changes = 0;
  let saved = 0;
  let isSending = false;
  let isClosed = false;
  let isRefused = false;
  let pause = 0;
  const isUnsaved = () => !isClosed && saved !== changes;
  const keep = () => keepHere(root, readAnswer(root), version);
  const seeing = (fresh) => {
    version = fresh;
    root.querySelector("[name=draft]").value = fresh; // a refused answer is kept as a draft upon the same one
  };

  async function send() {
    clearTimeout(pause);
    if (isSending || isClosed || !root.isConnected) return;
    isSending = true;
    const sent = changes;
    const seen = version ? { "If-Match": `"${version}"` } : { "If-None-Match": "*" };
    const refusal = await sendJSON(root.dataset.draftUrl, "PUT", readAnswer(root), seen);
    isSending = false;
    if (isClosed || !root.isConnected) return;
    if (refusal.status < 200 || refusal.status >= 300) {
      isRefused = true;
      keep();
      if (refusal.status === 412 && refusal.answer?.theirs) chooseBetween(refusal.answer);
      else refused("draft", refusal, send);
      return;
    }
    isRefused = false;
    saved = sent;
    seeing(refusal.answer?.version ?? version);
    forget(root);
    settled("draft");
    note.hidden = saved !== changes;
    if (saved !== changes) send();
  }

  function change() {
    changes += 1;
    note.hidden = true;
    if (isRefused) keep(); // the browser may be closed before the server says no again
  }

  /** Another device saved other ticks: these stay on the screen until the person says which are meant. */
  function chooseBetween({ theirs, version: theirVersion }) {
    refused("draft", {
      status: 412,
      sentence: `${elsewhere()} ${t("What is saved there says: {answer}. What is here is not saved yet.", {
        answer: saidIn(root, theirs),
      })}`,
      choices: [
        [t("Keep what is here"), () => {
          seeing(theirVersion);
          send();
        }],
        [t("Take the other"), () => {
          clearTimeout(pause);
          seeing(theirVersion);
          saved = changes;
          isRefused = false;
          writeAnswer(root, theirs);
          forget(root);
          settled("draft");
          say(root);
          note.hidden = false;
        }],
      ],
    });
  }

  /** What no server took, from this computer: it comes back, unless another device has saved other ticks since. */
  function restore() {
    const kept = takeBack(root);
    if (kept === null) return;
    if (saysTheSame(kept.answer, readAnswer(root))) {
      forget(root);
      return;
    }
    const takeKept = () => {
      writeAnswer(root, kept.answer);
      say(root);
      change();
      send();
    };
    if (version === "" || version === kept.version) {
      takeKept();
      return;
    }
    refused("draft", {
      status: 412,
      sentence: `${elsewhere()} ${t("On this computer you had ticked: {answer}. That was never saved.", {
        answer: saidIn(root, kept.answer),
      })}`,
      choices: [
        [t("Take that"), takeKept],
        [t("Keep what is shown"), () => {
          forget(root);
          settled("draft");
        }],
      ],
    });
  }

  return {
    changed({ afterMs = 0 } = {}) {
      change();
      clearTimeout(pause);
      pause = setTimeout(send, afterMs);
    },
    isUnsaved,
    keep,
    keepUnsaved: () => isUnsaved() && keep(),
    restore,
    flush: () => saved !== changes && send(),
    pause: () => clearTimeout(pause),
    close: () => (isClosed = true),
  };
}

// ---- the lease ----

function inHowLong(seconds) {
  if (seconds <= 0) return t("now");
  return seconds > 90
    ? t("in {n} minutes", { n: Math.round(seconds / 60) })
    : t("in {n} seconds", { n: Math.ceil(seconds / 10) * 10 });
}

function leaseOf(root) {
  let length = (Date.parse(root.dataset.expires) - Date.parse(root.dataset.now)) / 1000;
  let endsAt = performance.now() + length * 1000;
  let notBefore = 0;
  let isAsking = false;
  let isLost = false;
  const isAtHand = Boolean(root.dataset.draftUrl); // else it is kept while an earlier answer is looked at
  const left = () => (endsAt - performance.now()) / 1000;
  const lastCall = () => Math.min(LAST_CALL_SECONDS, length / 3);

  async function renew() {
    notBefore = performance.now() + RENEW_AGAIN_MS;
    const { status, answer } = await sendJSON(root.dataset.renewUrl, "POST", {});
    if (!root.isConnected) return;
    if (status >= 200 && status < 300) {
      length = (Date.parse(answer?.assignment.lease_expires_at) - serverTime(root)) / 1000 || length;
      endsAt = performance.now() + length * 1000;
      isAsking = false;
      ask(null);
    } else if (status === 409) {
      isLost = true;
      ask(null);
      if (isAtHand) refused("lost", { status, isLost, sentence: answer?.detail && t(answer.detail) });
    }
    // Anything else is asked again later, and submitting will say what is wrong.
  }

  // A lease that ran out is asked for again, too: nobody else may have wanted the page.
  return function watch(isActive) {
    if (isLost) return;
    if (isActive && left() < (length * 2) / 3) {
      if (performance.now() >= notBefore) renew();
    } else if (!isActive && !isAsking && left() < lastCall()) {
      isAsking = true;
      const when = { when: inHowLong(left()) };
      const question = isAtHand
        ? t("Still there? This page goes to someone else {when}.", when)
        : t("Still there? The page you have open goes to someone else {when}.", when);
      ask(question, t("Keep this page"), renew);
    }
  };
}

// ---- one page of work ----

/** An answer that changed after its sending is another one: it gets a key of its own and waits for a new Enter. */
function isAnotherAnswerNow() {
  if (!page.wasSent) return;
  page.root.querySelector("[name=idempotency_key]").value = freshKey();
  page.wasSent = false;
  page.isRefused = false; // from here on the draft tells what is saved
  settled("answer");
}

function changed(row) {
  isAnotherAnswerNow();
  page.isTouched = page.draft === null;
  if (row) explain(page.root, row.dataset.label);
  say(page.root, row ? bringInLine(page.root, row) : "");
  page.draft?.changed();
}

function toggle(row, verdict) {
  setVerdict(row, verdictOf(row) === verdict ? "no" : verdict);
  if (verdictOf(row) !== "no") noneOf(page.root).checked = false;
  row.scrollIntoView({ block: "nearest" });
  changed(row);
}

function onChange({ target }) {
  const { root } = page;
  const row = target.closest(".row[data-label]");
  if (row) {
    if (target.value !== "no") noneOf(root).checked = false;
    changed(row);
  } else if (target.name === "none") {
    if (target.checked) rowsOf(root).forEach((each) => setVerdict(each, "no"));
    changed(null);
  } else if (target.name === "confidence") {
    changed(null);
  } else if (target.name === "note") {
    page.draft?.flush();
  }
}

function onInput({ target }) {
  if (target.name !== "note") return;
  isAnotherAnswerNow();
  page.isTouched = page.draft === null;
  page.draft?.changed({ afterMs: NOTE_PAUSE_MS });
}

function mount(root, { isSame }) {
  if (!isSame) time.restart(takeSpent(root));
  page = { root, draft: null, lease: null, wasSent: false, isRefused: false, isTouched: false };
  const form = root.querySelector("[data-answer]");
  if (!form) return;
  if (root.dataset.draftUrl) {
    page.draft = draftOf(root);
    page.draft.restore();
    if ("unsaved" in root.dataset) page.draft.changed(); // a refused answer that could not be kept: ask what is meant
  }
  if (root.dataset.renewUrl) page.lease = leaseOf(root);
  if (page.draft === null) form.addEventListener("submit", () => (page.isTouched = false));
  say(root);
  const rows = rowsOf(root);
  const ticked = rows.find((row) => verdictOf(row) !== "no");
  if (ticked) explain(root, ticked.dataset.label);
  form.addEventListener("change", onChange);
  form.addEventListener("input", onInput);
  for (const kind of ["focusin", "pointerover"]) {
    form.addEventListener(kind, (event) => {
      const row = event.target.closest(".row[data-label]");
      if (row) explain(root, row.dataset.label);
    });
  }
  offerFilter(root, rows, (row) => explain(root, row.dataset.label));
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
  onRefused(refusal, retry) {
    // Given to someone else: the server kept the ticks as a draft, and nothing is left to save here.
    page.isRefused = !refusal.isLost;
    if (refusal.isLost) page.draft?.close();
    else page.draft?.keep();
    refused("answer", refusal, retry);
  },
  onTaken() {
    page.draft?.close();
    page.isRefused = false;
    if (page.draft) forget(page.root);
  },
});
offerComfort();
addEventListener("pagehide", () => {
  if (!page?.draft) return;
  page.draft.keepUnsaved(); // its draft may still be on its way
  keepSpent(page.root, time.seconds);
});
askBeforeLeaving(() => Boolean(page?.isRefused || page?.isTouched || page?.draft?.isUnsaved()));
listen({
  onLetter(letter, { shift }) {
    const row = workRoot()?.querySelector(`.row[data-letter="${letter}"]`);
    if (!row) return false;
    toggle(row, shift ? "unsure" : "yes");
    return true;
  },
});
