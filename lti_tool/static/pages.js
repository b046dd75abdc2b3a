// Photos and PDF on their way to the tool: shrunk here, sent in parts, taken up again after a break.
// Everything works without it, with larger files and a button.
"use strict";

const LONGEST = 2000; // pixels; what the model reads well
const LARGEST = 1500000; // bytes of a shrunk photo
const QUALITIES = [0.85, 0.75, 0.6, 0.45];
const SHRINKABLE = ["image/jpeg", "image/png", "image/webp", "image/heic", "image/heif"];

// The photo as a smaller JPEG, upright; as it is where this browser cannot read it.
async function shrunk(file) {
  if (!SHRINKABLE.includes(file.type) && !file.type.startsWith("image/")) return file;
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return file;
  }
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  const brush = canvas.getContext("2d");
  brush.fillStyle = "#fff";
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  for (const quality of QUALITIES) {
    const small = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
    if (small && small.size <= LARGEST) return small.size < file.size ? small : file;
  }
  return file;
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// One file after the other. A part that does not arrive is asked for and sent again.
class Uploads {
  constructor(form) {
    this.form = form;
    this.words = form.dataset;
    this.token = form.elements.csrf.value;
    this.queue = Promise.resolve();
    this.progress = form.querySelector("[data-progress]");
    this.refusals = form.querySelector("[data-refusals]");
    const camera = form.querySelector("#pages-camera");
    const button = form.querySelector(".only-touch");
    if (matchMedia("(pointer: coarse)").matches) {
      camera.disabled = false;
      button.hidden = false;
    }
    for (const input of form.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => {
        const files = [...input.files];
        input.value = "";
        this.refusals.replaceChildren();
        files.forEach((file) => { this.queue = this.queue.then(() => this.bring(file)); });
      });
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    window.addEventListener("beforeunload", (event) => {
      if (!this.progress.hidden) event.preventDefault();
    });
  }

  async bring(file) {
    this.show(file.name, 0);
    try {
      await this.send(file.name, await shrunk(file));
    } finally {
      this.progress.hidden = true;
    }
  }

  async send(name, content) {
    const announced = await this.ask(this.words.uploads, {
      method: "POST",
      body: new URLSearchParams({ name, size: content.size }),
    });
    if (!announced.ok) return this.refuse(announced);
    const { id, part } = await announced.json();
    const address = `${this.words.uploads}/${id}`;
    let received = 0;
    while (received < content.size) {
      this.show(name, (received / content.size) * 100);
      const piece = content.slice(received, received + part);
      const headers = { "Content-Type": "application/octet-stream" };
      const answer = await this.ask(`${address}?from=${received}`, { method: "POST", body: piece, headers });
      if (!answer.ok) return this.refuse(answer);
      ({ received } = await answer.json());
    }
    this.say(this.words.lookedAt.replace("{name}", name));
    const kept = await this.ask(`${address}/finish`, { method: "POST" });
    if (!kept.ok) return this.refuse(kept);
    return swapPages(await kept.text());
  }

  // Until there is an answer; bad Wi-Fi and a busy server only make it take longer.
  async ask(address, request) {
    const headers = { "X-CSRF": this.token, "HX-Request": "true", ...request.headers };
    for (let wait = 1000; ; wait = Math.min(wait * 2, 15000)) {
      try {
        const answer = await fetch(address, { ...request, headers });
        if (answer.status < 500) return answer;
      } catch {
        this.say(this.words.offline);
      }
      await pause(wait);
    }
  }

  async refuse(answer) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const note = page.querySelector("[data-message]");
    if (note) this.refusals.append(note);
    note?.querySelectorAll("[data-until]").forEach(countDown);
  }

  show(name, percent) {
    this.progress.hidden = false;
    this.progress.querySelector("progress").value = percent;
    this.say(this.words.busy.replace("{name}", name).replace("{percent}", Math.floor(percent)));
  }

  say(text) { this.progress.querySelector("[role=status]").textContent = text; }
}

function swapPages(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const fresh = page.getElementById("pages-list");
  const old = document.getElementById("pages-list");
  if (!fresh || !old) return;
  old.replaceWith(fresh);
  fresh.querySelectorAll("form[data-pages]").forEach(changeInPlace);
  document.dispatchEvent(new CustomEvent("pages-changed"));
}

// Order and removal without leaving the page, where a text may stand half written.
function changeInPlace(form) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
    if (!answer.ok) return;
    swapPages(await answer.text());
    backTo(form.action, event.submitter.value);
  });
}

// The list is new: whoever works with the keys stays at the page that was moved.
function backTo(action, by) {
  const buttons = [...document.querySelectorAll("form[data-pages]")]
    .filter((form) => form.action === action)
    .map((form) => form.querySelector("button:enabled"));
  const same = buttons.find((button) => button?.value === by) ?? buttons.find(Boolean);
  (same ?? document.getElementById("pages-file")).focus();
}

// The code to scan appears here; while it is good, pages from the phone are looked for.
function offerPhone(form) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
    if (!answer.ok && answer.status !== 409) return; // 409: a sentence why there is none
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const parts = [...page.body.children];
    document.getElementById("phone-link").replaceChildren(...parts);
    if (!answer.ok) return;
    const until = Date.now() + 5 * 60 * 1000;
    while (Date.now() < until && parts[0].isConnected) { // until a newer link takes its place
      await pause(3000);
      await lookForPages(form.dataset.pagesAddress);
    }
    parts.forEach((part) => part.remove());
  });
}

async function lookForPages(address) {
  const seen = document.getElementById("pages-list").dataset.seen;
  try {
    const answer = await fetch(`${address}?seen=${seen}`, { headers: { "HX-Request": "true" } });
    if (answer.status === 200) swapPages(await answer.text());
  } catch {
    // No connection: the next look will tell.
  }
}

function countDown(place) {
  const until = new Date(place.dataset.until);
  const tick = () => {
    const minutes = Math.ceil((until - Date.now()) / 60000);
    place.textContent = minutes > 0 ? place.dataset.words.replace("{minutes}", minutes) : "";
    if (minutes > 0) setTimeout(tick, 20000);
  };
  tick();
}

document.querySelectorAll("form[data-uploads]").forEach((form) => new Uploads(form));
document.querySelectorAll("form[data-pages]").forEach(changeInPlace);
document.querySelectorAll("form[data-phone]").forEach(offerPhone);
