// The model page: pulling with progress, the live demo, a file of texts.

import { all, element, icon, one, post } from "./common.js";

const model = one(".model");
const reference = model.dataset.reference;
const task = model.dataset.task;
const demo = one("[data-demo]");
const PAUSE_MS = 150;
const MOST_BARS = 12;

const sizes = ["B", "kB", "MB", "GB"];
function humanSize(bytes) {
  let unit = 0;
  while (bytes >= 1000 && unit < sizes.length - 1) {
    bytes /= 1000;
    unit += 1;
  }
  return `${bytes.toFixed(unit ? 1 : 0)} ${sizes[unit]}`;
}

// Pulling

const progress = one("[data-progress]");
const bar = one("progress", progress);
const told = one("p", progress);

function tell(state) {
  const known = state.total !== null;
  if (known && state.total > 0) {
    bar.max = state.total;
    bar.value = Math.min(state.done, state.total);
  } else {
    bar.removeAttribute("value");
  }
  const far = known ? `${humanSize(state.done)} of ${humanSize(state.total)}` : state.done ? humanSize(state.done) : "";
  told.textContent = [state.label, far].filter(Boolean).join(": ");
}

function pulled() {
  model.dataset.pulled = "yes";
  progress.hidden = true;
  one("[data-pull]").replaceChildren(element("span", { class: "stored" }, icon("stored"), " in the store"));
  if (demo) {
    one("[data-wait]", demo).hidden = true;
    predict();
  }
}

function failed(text) {
  told.textContent = text;
  progress.classList.add("failed");
  bar.hidden = true;
  for (const button of all("[data-pull-button]")) button.disabled = false;
}

async function pull() {
  for (const button of all("[data-pull-button]")) button.disabled = true;
  progress.hidden = false;
  progress.classList.remove("failed");
  bar.hidden = false;
  tell({ label: "asking", done: 0, total: null });
  let events;
  try {
    ({ events } = await (await post("/api/pull", { ref: reference })).json());
  } catch (error) {
    failed(error.message);
    return;
  }
  const source = new EventSource(events);
  source.addEventListener("message", (event) => {
    const state = JSON.parse(event.data);
    if (state.stage === "running") {
      tell(state);
      return;
    }
    source.close();
    if (state.stage === "done") pulled();
    else failed(state.error ? [state.error.what, state.error.why].filter(Boolean).join(": ") : "the pull failed");
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) failed("the connection to the server was lost");
  });
}

for (const button of all("[data-pull-button]")) button.addEventListener("click", pull);

// The live demo

let running = null;
let timer = 0;
let last = null;
let unfolded = false;

function score(value, probable) {
  return probable ? value.toFixed(4) : value.toFixed(3);
}

/** Bars, best first; those above the threshold are marked. */
function draw() {
  const answer = one("[data-answer]", demo);
  const threshold = Number(one("#demo-threshold", demo).value);
  const ranked = [...last.scores].sort((one, other) => other.score - one.score);
  const shown = unfolded ? ranked : ranked.slice(0, MOST_BARS);
  const largest = Math.max(...ranked.map((each) => Math.abs(each.score)), 1e-9);
  const list = element("ol", { class: "bars" });
  for (const [place, each] of shown.entries()) {
    const chosen = last.several ? each.score > threshold : place === 0;
    const length = last.probable ? each.score : Math.abs(each.score) / largest;
    const meter = element("span", { class: "bar" }, element("span"));
    meter.firstChild.style.inlineSize = `${(100 * length).toFixed(2)}%`;
    const row = element("li", { class: chosen ? "chosen" : null }, element("span", { class: "label" }, each.label || "(empty)"), meter);
    row.append(element("span", { class: "score" }, score(each.score, last.probable)));
    if (last.several) row.append(element("span", { class: "hidden" }, chosen ? "selected" : "not selected"));
    list.append(row);
  }
  const parts = [list];
  if (ranked.length > shown.length) {
    const more = element("button", { type: "button", class: "quiet" }, `Show all ${ranked.length.toLocaleString("en")} labels`);
    more.addEventListener("click", () => {
      unfolded = true;
      draw();
    });
    parts.push(more);
  }
  if (last.several) {
    const count = ranked.filter((each) => each.score > threshold).length;
    parts.unshift(element("p", { class: "soft" }, `${count} of ${ranked.length} labels above ${threshold.toFixed(2)}`));
  }
  answer.replaceChildren(...parts);
}

/** The text with its entities marked. Places count code points, as Python does. */
function drawEntities(text, entities) {
  const letters = [...text];
  const parts = [];
  let at = 0;
  for (const entity of entities) {
    if (entity.start < at) continue;
    parts.push(letters.slice(at, entity.start).join(""));
    const words = letters.slice(entity.start, entity.end).join("");
    parts.push(element("mark", {}, words, element("small", {}, `${entity.label} ${entity.score.toFixed(3)}`)));
    at = entity.end;
  }
  parts.push(letters.slice(at).join(""));
  const note = entities.length ? [] : [element("p", { class: "soft" }, "No entities were found.")];
  one("[data-answer]", demo).replaceChildren(element("p", { class: "entities" }, ...parts), ...note);
}

function candidates() {
  const written = one("#demo-candidates", demo)?.value ?? "";
  return [...new Set(written.split(",").map((part) => part.trim()).filter(Boolean))];
}

async function predict() {
  if (model.dataset.pulled !== "yes") return;
  running?.abort();
  running = new AbortController();
  const answer = one("[data-answer]", demo);
  const took = one("[data-took]", demo);
  const text = one("#demo-text", demo).value;
  if (task === "zero-shot-classification" && !candidates().length) {
    answer.replaceChildren(element("p", { class: "soft" }, "Write some labels to choose from."));
    return;
  }
  answer.setAttribute("aria-busy", "true");
  if (last === null) took.textContent = "opening the model";
  const question = { ref: reference, text, candidates: candidates(), several: one("#demo-several", demo)?.checked ?? false };
  try {
    const said = await (await post("/api/predict", question, { signal: running.signal })).json();
    if (said.task === "token-classification") {
      drawEntities(text, said.entities);
    } else {
      const slider = one("#demo-threshold", demo);
      if (last === null || last.several !== said.several) slider.value = said.threshold;
      last = said;
      one("[data-threshold]", demo).hidden = !said.several;
      one("output", demo).textContent = Number(slider.value).toFixed(2);
      draw();
    }
    took.textContent = `${said.milliseconds.toFixed(1)} ms`;
  } catch (error) {
    if (error.name === "AbortError") return;
    answer.replaceChildren(element("p", { class: "notice" }, error.message));
    took.textContent = "";
  }
  answer.setAttribute("aria-busy", "false");
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(predict, PAUSE_MS);
}

// A file of texts

let file = null;

function preview(csv) {
  // As many rows as fit below one another; the file itself has them all.
  const rows = [];
  let row = [""];
  let quoted = false;
  for (let at = 0; at < csv.length && rows.length < 6; at += 1) {
    const letter = csv[at];
    if (quoted) {
      if (letter === '"' && csv[at + 1] === '"') {
        row[row.length - 1] += '"';
        at += 1;
      } else if (letter === '"') quoted = false;
      else row[row.length - 1] += letter;
    } else if (letter === '"') quoted = true;
    else if (letter === ",") row.push("");
    else if (letter === "\n") {
      rows.push(row);
      row = [""];
    } else if (letter !== "\r") row[row.length - 1] += letter;
  }
  const [header, ...lines] = rows;
  const cells = (kind, line) => element("tr", {}, ...line.slice(0, 3).map((text) => element(kind, {}, text.slice(0, 120))));
  return element("table", {}, element("thead", {}, cells("th", header)), element("tbody", {}, ...lines.map((line) => cells("td", line))));
}

async function predictFile(column) {
  const state = one("[data-file-state]", demo);
  const choice = one(".column", demo);
  choice.hidden = true;
  if (model.dataset.pulled !== "yes") {
    state.textContent = "Pull the model first.";
    return;
  }
  state.textContent = `Reading ${file.name}`;
  const params = new URLSearchParams({ ref: reference, name: file.name });
  if (column !== undefined) params.set("column", column);
  for (const label of candidates()) params.append("label", label);
  if (one("#demo-several", demo)?.checked) params.set("several", "true");
  try {
    const answer = await post(`/api/texts?${params}`, file);
    const rows = Number(answer.headers.get("x-rows"));
    const blob = await answer.blob();
    const name = file.name.replace(/\.\w+$/, "") + ".predicted.csv";
    const link = element("a", { href: URL.createObjectURL(blob), download: name, class: "button" }, icon("download"), `Download ${name}`);
    state.replaceChildren(`${rows.toLocaleString("en")} texts answered. `, link, preview(await blob.slice(0, 20000).text()));
  } catch (error) {
    if (error.columns) {
      const select = one("select", choice);
      select.replaceChildren(element("option", { value: "" }, "choose"), ...error.columns.map((name) => element("option", { value: name }, name)));
      choice.hidden = false;
      state.textContent = "Which column holds the texts?";
      select.focus();
      return;
    }
    state.replaceChildren(element("span", { class: "notice" }, error.message));
  }
}

function take(given) {
  if (!given) return;
  file = given;
  predictFile();
}

if (demo) {
  one("#demo-text", demo).addEventListener("input", soon);
  for (const field of all("#demo-candidates, #demo-several", demo)) field.addEventListener("input", soon);
  for (const button of all("button[data-example]", demo)) {
    button.addEventListener("click", () => {
      one("#demo-text", demo).value = button.dataset.example;
      predict();
    });
  }
  one("#demo-threshold", demo).addEventListener("input", (event) => {
    one("output", demo).textContent = Number(event.target.value).toFixed(2);
    if (last) draw();
  });
  const drop = one("[data-drop]", demo);
  const input = one("#demo-file", drop);
  input.addEventListener("change", () => take(input.files[0]));
  one("select", drop).addEventListener("change", (event) => event.target.value && predictFile(event.target.value));
  for (const kind of ["dragenter", "dragover"]) {
    demo.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) demo.addEventListener(kind, () => drop.classList.remove("over"));
  demo.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
  one("form", demo).addEventListener("submit", (event) => event.preventDefault());
  predict();
}
