// The adjudicate page: one label in conflict is lit; Y, U or N decides it and lights the next one.

import { listen, offerComfort } from "./keys.js";
import {
  ActiveTime, askBeforeLeaving, explain, follow, forget, freshKey, keepHere, offerFilter, refused, settled, takeBack,
  workRoot,
} from "./work.js";

let page = null;

const casesOf = (root) => [...root.querySelectorAll(".case[data-label]")];
const isDecided = (row) => row.querySelector(":checked") !== null;

function nextUndecided(rows, from) {
  const after = rows.slice(from + 1).concat(rows.slice(0, from + 1));
  return after.find((row) => !isDecided(row)) ?? null;
}

function light(row) {
  const { root } = page;
  for (const each of casesOf(root)) each.classList.toggle("now", each === row);
  page.lit = row;
  if (row) {
    explain(root, row.dataset.label);
    row.scrollIntoView({ block: "nearest" });
  }
}

function keyCap(sign) {
  const cap = document.createElement("kbd");
  cap.textContent = sign;
  return cap;
}

function say() {
  const { root, lit } = page;
  const rows = casesOf(root);
  const open = rows.filter((row) => !isDecided(row)).length;
  const line = root.querySelector("[role=status]");
  const count = ` ${rows.length - open} of ${rows.length} decided.`;
  const bold = document.createElement("b");
  if (open === 0) {
    bold.textContent = "All decided.";
    line.replaceChildren(bold, root.querySelector("[name=cause]") ? " Say why they disagreed, then save." : " Save it.");
  } else if (lit) {
    bold.textContent = `${lit.dataset.name}:`;
    const signs = [...lit.querySelectorAll("[data-sign]")].map((input) => keyCap(input.dataset.sign));
    const wide = document.createElement("span");
    wide.append(" press ", signs[0], " ", signs[1], " or ", signs[2], ".");
    const small = document.createElement("span");
    small.textContent = " yes, unsure or no?";
    if (document.body.dataset.singleKeys !== "off") {
      wide.className = "hide-s";
      small.className = "only-s";
    } else {
      wide.hidden = true;
    }
    line.replaceChildren(bold, wide, small, count);
  }
  const save = root.querySelector("[data-saving]");
  save.classList.toggle("wait", open > 0);
  save.setAttribute("aria-disabled", String(open > 0));
  save.querySelector("[data-words]").textContent =
    open === 0 ? "Save and next" : `Save and next: ${open} ${open === 1 ? "label" : "labels"} left`;
  save.querySelector("kbd").hidden = open > 0;
}

function changed() {
  if (page.wasSent) {
    page.root.querySelector("[name=idempotency_key]").value = freshKey();
    page.wasSent = false;
    settled("answer"); // another decision waits for a new Enter
  }
  page.isUnsaved = true;
  say();
}

function decide(row, input, { goOn }) {
  input.checked = true;
  const rows = casesOf(page.root);
  if (goOn) light(nextUndecided(rows, rows.indexOf(row)) ?? row);
  changed();
}

const KEPT = /^(label\.|cause$|note$)/;

function readDecision(root) {
  const fields = [...new FormData(root.querySelector("[data-answer]"))];
  return Object.fromEntries(fields.filter(([name]) => KEPT.test(name)));
}

function writeDecision(root, kept) {
  for (const [name, value] of Object.entries(kept)) {
    if (name === "note") root.querySelector("[name=note]").value = value;
    else root.querySelector(`[name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`)?.click();
  }
}

function mount(root, { isSame }) {
  if (!isSame) time.restart();
  page = { root, lit: null, wasSent: false, isUnsaved: false };
  const form = root.querySelector("[data-answer]");
  if (!form) return;
  page.isUnsaved = isSame;
  form.addEventListener("click", (event) => {
    const row = event.target.closest(".case[data-label]");
    // Arrow keys click radios too, with detail 0: then the person is still choosing in this row.
    if (row && event.target.matches("input")) decide(row, event.target, { goOn: event.detail > 0 });
    else if (row) {
      light(row);
      say();
    }
  });
  form.addEventListener("focusin", (event) => {
    const row = event.target.closest(".case[data-label]");
    if (row && event.target.matches(":focus-visible")) {
      light(row);
      say();
    }
  });
  for (const kind of ["change", "input"]) {
    form.addEventListener(kind, ({ target }) => {
      if (target.name === "cause" || target.name === "note") changed();
    });
  }
  form.addEventListener("submit", stopWhileOpen, { capture: true });
  const rows = casesOf(root);
  offerFilter(root, rows, (row) => {
    light(row);
    say();
  });
  // A form that came back refused holds what was sent last, and that is newer than what was kept.
  const kept = root.querySelector(".errors") ? forget(root) : takeBack(root);
  if (kept) writeDecision(root, kept);
  light(nextUndecided(rows, rows.length - 1) ?? rows.at(-1));
  say();
}

function stopWhileOpen(event) {
  const open = casesOf(page.root).find((row) => !isDecided(row));
  if (!open || event.submitter?.name === "accept") return; // the labels left take what most said
  event.preventDefault();
  event.stopImmediatePropagation();
  light(open);
  say();
}

const time = new ActiveTime(() => {});

follow({
  mount,
  onSend(form, parameters) {
    const field = form.querySelector("[name=active_seconds]");
    if (!page.wasSent) field.value = time.seconds.toFixed(1);
    parameters.active_seconds = field.value;
    page.wasSent = true;
  },
  onRefused(refusal, retry) {
    if (page.root.querySelector("[data-answer]")) keepHere(page.root, readDecision(page.root));
    refused("answer", refusal, retry);
  },
  onTaken() {
    page.isUnsaved = false;
    if (page.root.dataset.place) forget(page.root);
  },
});
offerComfort();
askBeforeLeaving(() => Boolean(page?.isUnsaved));
listen({
  onLetter(letter) {
    const input = workRoot()?.querySelector(`.case.now [data-letter="${letter}"]`);
    if (!input) return false;
    decide(input.closest(".case"), input, { goOn: true });
    return true;
  },
});
