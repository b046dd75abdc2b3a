// A page that waits for feedback. It asks again by itself; where events come through (server-sent
// events of the live process) they say when, and it asks by itself only now and then. Without this
// script the page reloads. Nothing moves that is being read, and the focus stays where it is.
"use strict";

const SOONEST = 2000; // milliseconds between two questions where no events come through
const LATEST = 30000;
const GROWS = 1.3;
const STREAM_AGAIN = 30000; // after a refusal; breaks are mended by the browser itself

// Spread, so that a class does not ask in step.
const about = (milliseconds) => milliseconds * (0.8 + 0.4 * Math.random());

class Waiting {
  constructor(place) {
    this.place = place;
    this.stream = null;
    this.heard = false; // an event has come through the stream that is open
    this.pause = SOONEST;
    this.asking = false;
    this.more = false;
    this.timers = {};
    document.addEventListener("visibilitychange", () => this.look());
    window.addEventListener("online", () => this.look());
    window.addEventListener("pagehide", () => this.rest());
    window.addEventListener("pageshow", (event) => { if (event.persisted) this.look(); });
    this.listen();
    this.later();
  }

  get over() { return !this.place.dataset.ask; }

  // Nobody looks at a hidden page; whoever comes back to it sees at once how things stand.
  look() {
    if (document.hidden) return this.rest();
    this.listen();
    return this.ask();
  }

  rest() {
    Object.values(this.timers).forEach(clearTimeout);
    this.stream?.close();
    this.stream = null;
    this.heard = false;
  }

  listen() {
    if (this.stream || this.over || !window.EventSource || document.hidden) return;
    this.stream = new EventSource(this.place.dataset.live);
    this.stream.addEventListener("news", (event) => this.hear(event.data));
    this.stream.addEventListener("error", () => this.hearNothing());
  }

  hear(news) {
    this.heard = true;
    if (news === this.place.dataset.phase) return this.later();
    return this.ask();
  }

  hearNothing() {
    this.heard = false;
    if (this.stream?.readyState === EventSource.CLOSED) {
      this.stream = null;
      this.timers.listen = setTimeout(() => this.listen(), about(STREAM_AGAIN));
    }
    this.later();
  }

  later() {
    clearTimeout(this.timers.ask);
    if (this.over || document.hidden) return;
    const calm = Number(this.place.dataset.calm) * 1000;
    const wait = this.heard ? Math.max(calm, this.pause) : Math.min(calm, this.pause);
    this.timers.ask = setTimeout(() => this.ask(), about(wait));
  }

  async ask() {
    clearTimeout(this.timers.ask);
    if (this.over) return;
    this.more = this.asking; // what came meanwhile is asked for afterwards
    if (this.asking) return;
    this.asking = true;
    const answer = await fetch(this.place.dataset.ask, { headers: { "HX-Request": "true" } })
      .catch(() => null);
    if (answer?.status === 200) {
      this.pause = SOONEST;
      show(await answer.text());
    } else {
      this.pause = Math.min(this.pause * GROWS, LATEST);
    }
    this.asking = false;
    if (answer && answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
      await this.refused(answer);
    }
    if (this.over) this.rest();
    else if (this.more) this.ask();
    else this.later();
  }

  // No session any more, or the task is gone: say so above the state, and ask no more.
  async refused(answer) {
    const notice = document.createElement("p");
    notice.className = "notice notice-care";
    notice.setAttribute("role", "alert");
    notice.textContent = (await messageOf(answer)).text;
    delete this.place.dataset.ask;
    this.place.before(notice);
  }
}

// Each part of an answer goes into the place of the page that has its name.
function show(html) {
  const answer = document.createElement("template");
  answer.innerHTML = html;
  for (const part of answer.content.children) {
    const place = document.getElementById(part.id);
    if (place) fill(place, part);
  }
  watchForFeedback();
}

function fill(place, part) {
  for (const name of Object.keys(place.dataset)) delete place.dataset[name];
  Object.assign(place.dataset, part.dataset);
  if (place.innerHTML === part.innerHTML) return;
  const held = place.contains(document.activeElement) ? document.activeElement : null;
  place.replaceChildren(...part.childNodes);
  if (!held) return;
  const same = [...place.querySelectorAll("a, button, summary")]
    .find((one) => one.textContent === held.textContent);
  (same ?? place).focus({ preventScroll: true });
}

// "Your feedback is there" goes as soon as the feedback itself is in sight.
function watchForFeedback() {
  const note = document.getElementById("arrived");
  const feedback = document.getElementById("feedback");
  if (!note?.firstChild || !feedback) return;
  const sight = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    note.replaceChildren();
    sight.disconnect();
  });
  sight.observe(feedback);
}

document.querySelectorAll("[data-ask]").forEach((place) => new Waiting(place));
