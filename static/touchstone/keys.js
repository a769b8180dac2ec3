// Letters answer, digits and signs command. Which key does what is written in the page:
//   data-key="5"      this control is clicked (or focused, when it takes text) by that digit, sign or Enter
//   data-keys         a details element: while it is open, digits press what stands in it
//   data-letter="a"   the page's own module decides what that letter answers
//   data-key-name     how the list of all keys names it
//   data-act="cover"  one of the comforts at the end of this file, by key or by hand
// Letters are read from event.key, digits from event.code (so AZERTY works), signs before both.

const TEXT_FIELD =
  "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=button], [type=submit])";
const PRESSABLE = "a[href], button, summary";
const GUARD_MS = 250;

const WORDS = JSON.parse(document.querySelector("#words")?.textContent ?? "{}");

/** What the page says, in its own language; `values` fill the {names}. The English words are the key. */
export function t(english, values = {}) {
  return (WORDS[english] ?? english).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

let readyAt = Infinity;

/** Hold all keys until what is on the screen now has been painted and could be seen. */
export function guard() {
  readyAt = Infinity;
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      readyAt = performance.now() + GUARD_MS;
    }),
  );
}

/** The command a key stands for, or null: "/", "?", "!", ".", "0" to "9", "Enter". */
export function commandOf(event) {
  if (["/", "?", "!", "."].includes(event.key)) return event.key;
  if (event.code.startsWith("Digit")) return event.code.slice("Digit".length);
  if (event.code.startsWith("Numpad") && /^\d$/.test(event.key)) return event.key;
  return event.key === "Enter" ? "Enter" : null;
}

/** The letter a key types, lower case, or null. */
export function letterOf(event) {
  return /^\p{L}$/u.test(event.key) ? event.key.toLowerCase() : null;
}

function isForSomeoneElse(event) {
  return event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat;
}

/** What a command presses: in an open list with keys of its own (data-keys) its entry, else the page's control. */
function controlOf(command) {
  const wanted = `[data-key="${command}"]:not(:disabled)`;
  return document.querySelector(`[data-keys][open] ${wanted}`) ?? document.querySelector(`${wanted}:not([data-keys] div *)`);
}

function press(control) {
  if (control.matches(TEXT_FIELD)) {
    control.closest("details")?.setAttribute("open", "");
    control.focus();
  } else {
    control.click();
  }
}

function leaveField(target) {
  const open = target.closest("details.menu[open], details.extra[open]") ??
    document.querySelector("details.menu[open], [data-keys][open]");
  // What is hidden must not go on taking keys.
  if (target.matches(TEXT_FIELD) || open?.contains(target)) target.blur();
  open?.removeAttribute("open");
}

/** Listen on the whole page. `onLetter(letter, {shift})` returns true when it took the letter. */
export function listen({ onLetter }) {
  document.addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : document.body;
    // Inside a form a held Enter would go on submitting by itself.
    if (event.key === "Enter" && event.repeat && !target.matches("textarea")) event.preventDefault();
    if (isForSomeoneElse(event) || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return leaveField(target);
    if (target.matches(TEXT_FIELD)) return;
    const command = commandOf(event);
    if (command === "Enter" && target.closest(PRESSABLE)) return;
    if (command !== "Enter" && document.body.dataset.singleKeys === "off") return;
    if (performance.now() < readyAt) return event.preventDefault();
    if (command !== null) {
      const control = controlOf(command);
      if (control === null || control.closest("[hidden]")) return;
      event.preventDefault();
      press(control);
    } else if (letterOf(event) && onLetter(letterOf(event), { shift: event.shiftKey })) {
      event.preventDefault();
    }
  });
}

function keyRow(keys, name) {
  const row = document.createElement("div");
  const term = row.appendChild(document.createElement("dt"));
  for (const key of keys) {
    const cap = term.appendChild(document.createElement("kbd"));
    cap.className = "always";
    cap.textContent = key;
    term.append(" ");
  }
  row.appendChild(document.createElement("dd")).textContent = name;
  return row;
}

/** Fill the dialog of all keys from the page as it is now, and open it. */
function showKeys(dialog) {
  const list = dialog.querySelector("dl");
  list.replaceChildren();
  const shown = new Set();
  for (const control of document.querySelectorAll("[data-letter], [data-key]:not([data-keys] div *, [hidden])")) {
    const key = control.dataset.letter?.toUpperCase() ?? control.dataset.key;
    if (shown.has(key)) continue;
    shown.add(key);
    list.append(keyRow([key], control.dataset.keyName ?? control.textContent.trim()));
  }
  if (document.querySelector('[aria-keyshortcuts^="Shift+"]')) {
    list.append(keyRow(["Shift", t("letter")], t("Unsure about that label")));
  }
  list.append(keyRow(["Esc"], t("Close, leave the field")));
  dialog.showModal();
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
  sharpen(control) {
    const isOn = control.closest(".material").classList.toggle("sharp");
    control.setAttribute("aria-pressed", isOn);
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
    try {
      await navigator.clipboard.writeText(control.dataset.copy);
      control.textContent = t("Address copied");
    } catch {
      control.textContent = t("This browser does not let pages copy");
    }
  },
};

/** The server keeps what was switched: show it on this page, and let the switch stand for the other way round. */
function follow(form) {
  const isOn = form.elements.on.value === "1";
  document.body.dataset[form.dataset.comfort] = isOn ? "on" : "off";
  form.elements.on.value = isOn ? "0" : "1";
  form.querySelector("button").setAttribute("aria-pressed", isOn);
  const sharpen = document.querySelector("[data-act=sharpen]");
  if (form.dataset.comfort === "blur" && sharpen) sharpen.hidden = !isOn;
}

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
  document.addEventListener("htmx:afterRequest", ({ detail: { successful, elt } }) => {
    if (successful && elt.matches("[data-comfort]")) follow(elt);
  });
  document.addEventListener("htmx:afterSettle", () => setPressed("cover", document.body.dataset.cover === "on"));
}
