// Search as one types: the server renders what was found, the address holds what was asked.

import { all, nameLanguages, one } from "./common.js";

const form = document.getElementById("search");
const found = document.getElementById("found");
const button = document.getElementById("show-facets");
const PAUSE_MS = 120;
const SETTLED_MS = 1500;
let running = null;
let timer = 0;
let changed = 0;
// A site of files alone brings its own index.
const local = form.dataset.site ? await import("./site.js") : null;

function asked() {
  const params = new URLSearchParams(new FormData(form));
  if (!params.get("q").trim()) params.delete("q");
  const sort = params.get("sort");
  params.delete("sort");
  if (sort !== "relevance") params.append("sort", sort);
  return params.toString();
}

async function answered(query, signal) {
  if (local) return local.answered(new URLSearchParams(query));
  const answer = await fetch("/search" + (query ? "?" + query : ""), { signal });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return [...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes];
}

/** Show what the address's parameters ask for. */
async function show(query) {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  let nodes;
  try {
    nodes = await answered(query, signal);
    if (signal.aborted) return;
  } catch (error) {
    if (error.name !== "AbortError") one(".total", found).textContent = `The search failed: ${error.message}`;
    return;
  }
  const focused = document.activeElement;
  const open = all("details[open]", found).map((details) => details.id);
  const scrolled = one("#facets", found).scrollTop;
  found.replaceChildren(...nodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  one("#facets", found).scrollTop = scrolled;
  if (focused?.name && !document.contains(focused)) {
    all("input", found).find((input) => input.name === focused.name && input.value === focused.value)?.focus();
  }
  nameLanguages(found);
  found.dataset.asked = query ? "?" + query : "";
}

/** A new place in the history, unless the person is still typing. */
function remember(query, push) {
  const address = query ? "?" + query : location.pathname;
  if (push) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

function go(push) {
  const query = asked();
  remember(query, push);
  return show(query);
}

form.addEventListener("input", (event) => {
  if (event.target.name !== "q") return;
  const push = Date.now() - changed > SETTLED_MS;
  changed = Date.now();
  clearTimeout(timer);
  if (push) remember(asked(), true);
  timer = setTimeout(() => go(false), PAUSE_MS);
});

form.addEventListener("change", (event) => {
  if (event.target.name === "q") return;
  clearTimeout(timer);
  go(true);
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  go(false);
});

found.addEventListener("click", (event) => {
  const link = event.target.closest("[data-clear], .paging a");
  if (!link || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  const query = new URL(link.href).search.slice(1);
  history.pushState(null, "", query ? "?" + query : location.pathname);
  show(query).then(() => {
    if (link.closest(".paging")) scrollTo({ top: 0 });
  });
});

addEventListener("popstate", () => {
  const params = new URLSearchParams(location.search);
  form.elements.q.value = params.get("q") ?? "";
  form.elements.sort.value = params.get("sort") ?? "relevance";
  changed = 0;
  show(location.search.slice(1));
});

button.addEventListener("click", () => {
  const open = found.classList.toggle("with-facets");
  button.setAttribute("aria-expanded", String(open));
});

// The file of a site is the same whatever its address asks for.
if (local && location.search) {
  form.elements.q.value = new URLSearchParams(location.search).get("q") ?? "";
  form.elements.sort.value = new URLSearchParams(location.search).get("sort") ?? "relevance";
  show(location.search.slice(1));
}
