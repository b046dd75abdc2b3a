// Formulas in tasks, answers and feedback, set by KaTeX. Fetched only by pages on which there is one;
// without this script the source stays readable. What cannot be set stays as it was typed.
const HERE = new URL("vendor/katex/", import.meta.url);
const FORMULA = /\$\$([^$]+)\$\$|\$([^\s$](?:[^$\n]*[^\s$])?)\$(?!\d)|\\\(((?:[^\\\n]|\\[^()\n])+)\\\)|\\\[((?:[^\\\n]|\\[^[\]\n])+)\\\]/g;
const LONGEST = 1000; // characters of one formula
const MOST = 200; // on one page: who types more than that keeps no other browser busy

// Texts come from pupils and models: no links, no pictures, no classes (`trust`), no endless macros.
const OPTIONS = { throwOnError: true, trust: false, strict: "ignore", maxExpand: 100, maxSize: 10, output: "htmlAndMathml" };

const loaded = new Promise((done, failed) => {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("katex.min.css", HERE);
  const script = document.createElement("script");
  script.src = new URL("katex.min.js", HERE);
  script.addEventListener("load", () => done(window.katex));
  script.addEventListener("error", failed);
  document.head.append(style, script);
});

let room = MOST;

export async function typeset(nodes) {
  const katex = await loaded;
  nodes.filter((node) => node.isConnected).forEach((node) => replace(node, katex));
}

function replace(node, katex) {
  const parts = [];
  let end = 0;
  for (const found of node.data.matchAll(FORMULA)) {
    const formula = rendered(found, katex);
    if (!formula) continue;
    parts.push(node.data.slice(end, found.index), formula);
    end = found.index + found[0].length;
  }
  if (parts.length) node.replaceWith(...parts, node.data.slice(end));
}

function rendered(found, katex) {
  const tex = found.slice(1).find((part) => part !== undefined);
  if (tex.length > LONGEST || room < 1) return null;
  room -= 1;
  const place = document.createElement("span");
  place.dir = "ltr";
  place.className = "formula";
  try {
    katex.render(tex, place, { ...OPTIONS, displayMode: found[1] !== undefined || found[4] !== undefined });
  } catch {
    return null;
  }
  return place;
}
