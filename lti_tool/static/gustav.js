// What makes the pages live. Everything works without it. Nothing a pupil types leaves this page
// except to the tool, and nothing is kept in the browser's storage: tablets are shared.
"use strict";

// The drafts of an answer: saved while it is written, and once more before it is handed in.
class Draft {
  constructor(form) {
    this.form = form;
    this.field = form.elements.text;
    this.version = form.elements.version;
    this.line = form.querySelector("[data-draft-line]");
    this.banner = form.querySelector("[data-draft-banner]");
    this.words = form.dataset;
    this.saved = this.field.value;
    this.stopped = ""; // "gone": no session; "newer": another tab has saved
    this.offline = false;
    this.leaving = false;
    this.running = null;
    this.timer = 0;
    this.wait = 3000;
    this.field.addEventListener("input", () => this.later());
    this.field.addEventListener("blur", () => this.save());
    form.addEventListener("submit", (event) => this.handIn(event));
    window.addEventListener("online", () => this.save());
    window.addEventListener("pagehide", () => this.leaving || this.save(true));
    window.addEventListener("beforeunload", (event) => this.warn(event));
  }

  get dirty() { return this.field.value !== this.saved; }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), this.wait);
  }

  async save(keepalive = false) {
    clearTimeout(this.timer);
    while (this.running) await this.running;
    if (!this.dirty || this.stopped) return;
    this.running = this.send(this.field.value, keepalive);
    await this.running;
    this.running = null;
  }

  async send(text, keepalive) {
    let answer;
    try {
      answer = await fetch(this.words.draft, {
        method: "POST",
        body: new URLSearchParams(new FormData(this.form)),
        headers: { "HX-Request": "true" },
        keepalive,
      });
    } catch {
      return this.noConnection();
    }
    if (answer.status >= 500 || answer.status === 429) return this.noConnection();
    this.offline = false;
    this.wait = 3000;
    if (answer.ok) {
      const kept = await answer.json();
      this.saved = text;
      this.version.value = kept.version;
      return this.say(this.words.saved.replace("{time}", kept.time));
    }
    return this.refused(answer.status, await messageOf(answer));
  }

  noConnection() {
    this.offline = true;
    this.say(this.words.offline);
    this.wait = Math.min(this.wait * 2, 30000);
    this.later();
  }

  refused(status, message) {
    if (status === 400 || status === 413) return this.say(message.text);
    this.stopped = message.code === "draft_newer" ? "newer" : "gone";
    this.say("");
    this.banner.textContent = message.text;
    this.banner.hidden = false;
    return undefined;
  }

  // The text is saved first: where that fails, the page with the text on it stays.
  async handIn(event) {
    event.preventDefault();
    if (this.leaving) return;
    const warned = this.stopped === "newer";
    this.leaving = true;
    await this.save();
    if (this.offline || this.stopped === "gone" || (this.stopped === "newer" && !warned)) {
      this.leaving = false;
      if (!this.offline) this.banner.scrollIntoView({ block: "nearest" });
      return;
    }
    submit(this.form);
  }

  warn(event) {
    if (this.dirty && !this.leaving && (this.offline || this.stopped)) event.preventDefault();
  }

  say(text) { this.line.textContent = text; }
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

function countCharacters(field) {
  const place = document.getElementById(field.dataset.count);
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const show = () => {
    place.textContent = place.dataset.words.replace("{count}", number.format([...field.value].length));
  };
  field.addEventListener("input", show);
  show();
}

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

document.addEventListener("keydown", shortcuts);
document.querySelectorAll("form[data-draft]").forEach((form) => new Draft(form));
document.querySelectorAll("form[data-unsaved]").forEach(warnUnsaved);
document.querySelectorAll("form[data-picker]").forEach((form) => new Picker(form));
document.querySelectorAll("form:not([data-draft]):not([data-again])").forEach(once);
document.querySelectorAll("textarea").forEach(grow);
document.querySelectorAll("textarea[data-count]").forEach(countCharacters);
document.querySelectorAll("[data-open-fields]").forEach(openFields);
document.querySelectorAll("form[data-autosubmit]").forEach(submit);
