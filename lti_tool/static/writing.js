// The draft of an answer: saved while it is written, and once more before it is handed in. Everything
// works without it. Tablets are shared: see docs/adr/0014 for what may stay in the browser, and when.
"use strict";

// What could not be sent yet, in this tab's own storage, and readable only by a page of this pupil.
class Unsent {
  constructor({ key, activity }) {
    this.name = `gustav-draft:${document.body.dataset.owner}:${activity}`;
    this.seed = key;
    this.latest = 0;
  }

  async keep(content) {
    const number = ++this.latest;
    try {
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const plain = new TextEncoder().encode(JSON.stringify(content));
      const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await this.key(), plain);
      if (number === this.latest) sessionStorage.setItem(this.name, JSON.stringify([[...iv], [...new Uint8Array(sealed)]]));
    } catch {
      // A browser that lends us no storage: the text stays on the page alone.
    }
  }

  async taken() {
    try {
      const [iv, sealed] = JSON.parse(sessionStorage.getItem(this.name)).map((bytes) => new Uint8Array(bytes));
      const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await this.key(), sealed);
      return JSON.parse(new TextDecoder().decode(plain));
    } catch {
      this.wipe();
      return null;
    }
  }

  wipe() {
    this.latest += 1;
    try {
      sessionStorage.removeItem(this.name);
    } catch {
      // Nothing was lent, nothing is there.
    }
  }

  async key() {
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(this.seed));
    return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  }
}

class Draft {
  constructor(form) {
    this.form = form;
    this.field = form.elements.text;
    this.line = form.querySelector("[data-draft-line]");
    this.banner = form.querySelector("[data-draft-banner]");
    this.words = form.dataset;
    this.unsent = new Unsent(form.dataset);
    this.saved = this.field.value;
    this.gone = false; // no session any more
    this.offline = false;
    this.leaving = false;
    this.running = null;
    this.timer = 0;
    this.wait = 3000;
    this.field.addEventListener("input", () => this.later());
    this.field.addEventListener("blur", () => this.save());
    form.addEventListener("submit", (event) => this.handIn(event));
    window.addEventListener("online", () => this.save());
    window.addEventListener("offline", () => this.dirty && this.noConnection());
    window.addEventListener("focus", () => this.look());
    document.addEventListener("visibilitychange", () => this.look());
    window.addEventListener("pagehide", () => this.leave());
    window.addEventListener("beforeunload", (event) => this.warn(event));
    this.handOver();
  }

  get dirty() { return this.field.value !== this.saved; }

  later() {
    clearTimeout(this.timer);
    if (this.offline || this.gone) this.unsent.keep(this.said());
    this.timer = setTimeout(() => this.save(), this.wait);
  }

  // What is sent, and under which name: the page's own, unless it hands over for an earlier one.
  said() {
    const { version, client_key, turn } = this.form.elements;
    return { text: this.field.value, version: version.value, client_key: client_key.value, turn: Number(turn.value) + 1 };
  }

  async save() {
    clearTimeout(this.timer);
    while (this.running) await this.running;
    if (!this.dirty || this.gone) return;
    this.running = this.send(this.said());
    await this.running;
    this.running = null;
  }

  post(said, keepalive = false) {
    const body = new URLSearchParams(new FormData(this.form));
    Object.entries(said).forEach(([name, value]) => body.set(name, value));
    if (said.client_key === this.form.elements.client_key.value) this.form.elements.turn.value = said.turn;
    return fetch(this.words.draft, { method: "POST", body, headers: { "HX-Request": "true" }, keepalive });
  }

  async send(said) {
    let answer;
    try {
      answer = await this.post(said);
    } catch {
      return this.noConnection();
    }
    if (answer.status >= 500 || answer.status === 429) return this.noConnection();
    if (this.offline) this.warned("");
    this.offline = false;
    this.wait = 3000;
    if (!answer.ok) return this.refused(answer.status, await messageOf(answer));
    return this.kept(said.text, await answer.json());
  }

  kept(text, { version, time, overtook }) {
    this.saved = text;
    this.form.elements.version.value = version;
    this.unsent.wipe();
    this.say(this.words.saved.replace("{time}", time));
    if (overtook) this.warned(this.words.overtook, this.words.older);
  }

  noConnection() {
    this.offline = true;
    this.unsent.keep(this.said());
    this.say(this.words.offline);
    this.warned(this.words.notHandedIn);
    this.wait = Math.min(this.wait * 2, 30000);
    this.later();
  }

  refused(status, { code, text }) {
    if (status === 400 || status === 413) return this.say(text);
    this.gone = true;
    if (code === "other_person") this.unsent.wipe();
    else this.unsent.keep(this.said());
    this.say("");
    return this.warned(text);
  }

  // What an earlier page of this tab could not send. It goes out under that page's name, so that
  // what was written elsewhere meanwhile is put aside like with any other save.
  async handOver() {
    const said = await this.unsent.taken();
    if (!said) return;
    if (said.text === this.saved) return this.unsent.wipe();
    if (this.dirty) return undefined; // already being written on; the next save takes care of it
    this.field.value = said.text;
    this.field.dispatchEvent(new Event("input"));
    clearTimeout(this.timer);
    this.running = this.send(said);
    await this.running;
    this.running = null;
    if (this.banner.hidden && !this.dirty) this.warned(this.words.handedOver);
    return undefined;
  }

  // Looked at again: was something written on another device meanwhile?
  async look() {
    if (document.hidden || this.dirty || this.gone || this.leaving || this.running) return;
    const { version, attempt } = this.form.elements;
    try {
      const answer = await fetch(`${this.words.newer}?version=${version.value}&attempt=${attempt.value}`, { headers: { "HX-Request": "true" } });
      if (answer.status === 200 && !this.dirty) this.follow(await answer.json());
    } catch {
      // No connection: the next save will tell.
    }
  }

  follow({ handed_in, text, version, time }) {
    if (handed_in) return this.warned(this.words.elsewhere, this.words.here);
    this.form.elements.version.value = version;
    this.say(this.words.saved.replace("{time}", time));
    if (text === this.field.value) return undefined;
    this.field.value = this.saved = text;
    this.field.dispatchEvent(new Event("input"));
    clearTimeout(this.timer);
    return this.warned(this.words.followed);
  }

  // The text is saved first: where that fails, the page with the text on it stays.
  async handIn(event) {
    event.preventDefault();
    if (this.leaving) return;
    this.leaving = true;
    const shown = this.banner.textContent;
    await this.save();
    const asked = this.banner.textContent !== shown && !this.banner.hidden; // read this first
    if (this.offline || this.gone || asked) {
      this.leaving = false;
      this.banner.scrollIntoView({ block: "nearest" });
      return;
    }
    submit(this.form);
  }

  leave() {
    if (this.leaving || !this.dirty || this.gone) return;
    this.post(this.said(), true).catch(() => {});
  }

  warn(event) {
    if (this.dirty && !this.leaving && (this.offline || this.gone)) event.preventDefault();
  }

  say(text) { this.line.textContent = text; }

  warned(text, address = "") {
    this.banner.textContent = text;
    this.banner.hidden = !text;
    if (!address) return;
    const link = document.createElement("a");
    link.href = address;
    link.textContent = this.words.look;
    this.banner.append(" ", link);
  }
}

// As the server counts: code points, of which an emoji may be several.
function countCharacters(field) {
  const place = document.getElementById(field.dataset.count);
  const most = Number(field.dataset.most);
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const show = () => {
    const count = [...field.value].length;
    const words = count > most ? place.dataset.tooMany : place.dataset.words;
    place.textContent = words.replace("{count}", number.format(count)).replace("{over}", number.format(count - most));
    place.classList.toggle("over-limit", count > most);
  };
  field.addEventListener("input", show);
  show();
}

// What is needed for photos comes last: on a slow network, text can be written before it is there.
function fetchLater({ dataset }) {
  const script = document.createElement("script");
  script.src = dataset.later;
  document.head.append(script);
}

document.querySelectorAll("form[data-draft]").forEach((form) => new Draft(form));
document.querySelectorAll("textarea[data-count]").forEach(countCharacters);
// What is wrong with the answer stands beside it, on a phone far below what is in sight.
document.getElementById("text-problem")?.scrollIntoView();
window.addEventListener("load", () => document.querySelectorAll("[data-later]").forEach(fetchLater));
