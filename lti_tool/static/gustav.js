// What makes the pages live. Everything works without it. Nothing a pupil types leaves this page
// except to the tool; what could not be sent yet waits sealed in the tab's storage (writing.js).
"use strict";

// Tablets are shared: what somebody else left unsent in this tab goes.
function forgetOthers(owner) {
  try {
    Object.keys(sessionStorage)
      .filter((name) => name.startsWith("gustav-draft:") && !name.startsWith(`gustav-draft:${owner}:`))
      .forEach((name) => sessionStorage.removeItem(name));
  } catch {
    // A browser that lends us no storage keeps nothing either.
  }
}

// The code and the sentences of an answer that says no.
async function messageOf(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.querySelector("[data-message]");
  if (!found) return { code: "", text: String(answer.status) };
  return { code: found.dataset.message, text: found.textContent.replace(/\s+/g, " ").trim() };
}

// A button named "submit" would hide the form's own method.
function submit(form) { HTMLFormElement.prototype.submit.call(form); }

function grow(field) {
  if (CSS.supports("field-sizing", "content")) return;
  const fit = () => {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 4}px`;
  };
  field.addEventListener("input", fit);
  fit();
}

// A second click while the first is under way does nothing.
function once(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => delete form.dataset.sent);
}

function warnUnsaved(form) {
  let changed = form.hasAttribute("data-changed");
  let sending = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { sending = true; });
  window.addEventListener("beforeunload", (event) => {
    if (changed && !sending) event.preventDefault();
  });
}

// Boxes for a whole unit or section tick what stands below them, and the number of what is chosen
// is kept right. The server looks up what such a box means, so it also counts what is not shown.
class Picker {
  constructor(form) {
    this.form = form;
    this.count = form.querySelector(".count");
    this.tasks = [...form.querySelectorAll("input[name=task]")];
    this.wholes = [...form.querySelectorAll("input[data-whole]")].map((box) => ({
      box,
      number: Number(box.dataset.whole),
      below: this.below(box),
    }));
    form.addEventListener("change", (event) => this.changed(event.target));
    window.addEventListener("pageshow", () => this.show());
    this.show();
  }

  // What the box would choose, as far as it is on the page. What the course has already stays out.
  below(box) {
    const place = box.closest(box.name === "unit" ? ".unit" : ".section");
    return [...place.querySelectorAll("input[name=task]:not([data-linked])")];
  }

  changed(box) {
    const whole = this.wholes.find((one) => one.box === box);
    if (whole) whole.below.forEach((task) => { task.checked = box.checked; });
    this.show();
  }

  show() {
    if (!this.count) return;
    let number = this.tasks.filter((task) => task.checked).length;
    for (const whole of this.wholes) {
      if (whole.below.length === whole.number) this.follow(whole);
      else if (whole.box.checked) number += whole.number - this.chosenOf(whole.box.value);
    }
    this.count.textContent = this.count.dataset.words.replace("{count}", number);
  }

  follow({ box, number, below }) {
    const ticked = below.filter((task) => task.checked).length;
    box.checked = ticked === number;
    box.indeterminate = ticked > 0 && ticked < number;
  }

  chosenOf(unit) {
    return this.tasks.filter((task) =>
      task.checked && task.dataset.unit === unit && !("linked" in task.dataset)).length;
  }
}

// Single letters on pages that name them; never while somebody is typing.
function shortcuts(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape") document.querySelector(".large:target > a")?.click();
  if (event.target.closest("input:not([type=radio]), textarea, select, [contenteditable]")) return;
  const goal = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!goal) return;
  event.preventDefault();
  goal.click();
}

function openFields(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const parts = document.querySelectorAll("details[data-edit]");
    parts.forEach((part) => { part.open = true; });
    parts[0]?.querySelector("input:checked, textarea, input")?.focus();
  });
}

// A fragment that asks again and gets a no: say why, and ask no more.
document.addEventListener("htmx:responseError", async (event) => {
  const { elt, xhr } = event.detail;
  if (xhr.status >= 500 || xhr.status === 429) return;
  const message = await messageOf(new Response(xhr.responseText, { status: xhr.status }));
  const calm = elt.cloneNode(true);
  calm.removeAttribute("hx-get");
  const notice = document.createElement("p");
  notice.className = "notice notice-care";
  notice.setAttribute("role", "alert");
  notice.textContent = message.text;
  elt.replaceWith(notice, calm);
});

// Formulas: what sets them comes only to pages on which there is one, also if it arrives later.
const FORMULA = /\$\$[^$]+\$\$|\$[^\s$](?:[^$\n]*[^\s$])?\$(?!\d)|\\\((?:[^\\\n]|\\[^()\n])+\\\)|\\\[(?:[^\\\n]|\\[^[\]\n])+\\\]/;
const asked = new WeakSet();

function lookForFormulas() {
  const walk = document.createTreeWalker(document.getElementById("main"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walk.nextNode()) {
    const node = walk.currentNode;
    if (asked.has(node) || !FORMULA.test(node.data) || node.parentElement.closest("textarea, code, .katex")) continue;
    asked.add(node);
    found.push(node);
  }
  if (found.length) import("./formulas.js").then(({ typeset }) => typeset(found)).catch(() => {});
}

if (document.getElementById("main")) {
  lookForFormulas();
  new MutationObserver(lookForFormulas).observe(document.getElementById("main"), { childList: true, subtree: true });
}
if (document.body.dataset.owner) forgetOthers(document.body.dataset.owner);
document.addEventListener("keydown", shortcuts);
document.querySelectorAll("form[data-unsaved]").forEach(warnUnsaved);
document.querySelectorAll("form[data-picker]").forEach((form) => new Picker(form));
document.querySelectorAll("form:not([data-draft]):not([data-again])").forEach(once);
document.querySelectorAll("textarea").forEach(grow);
document.querySelectorAll("[data-open-fields]").forEach(openFields);
document.querySelectorAll("form[data-autosubmit]").forEach(submit);
