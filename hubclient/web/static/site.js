// Search on a site of files: the same answers as the server gives, from an index that is fetched part by part.

import { element } from "./common.js";

const home = new URL("../", import.meta.url);
const data = new URL(document.getElementById("search").dataset.site + "/", home);
const known = new Map();

/** A part of the index, fetched once. */
function part(name) {
  if (!known.has(name)) {
    const fetched = fetch(new URL(name + ".json", data)).then((answer) => {
      if (!answer.ok) throw new Error(`${name} is missing (${answer.status})`);
      return answer.json();
    });
    fetched.catch(() => known.delete(name));
    known.set(name, fetched);
  }
  return known.get(name);
}

/** Numbers of cards, from the gaps between them. */
function numbers(gaps) {
  let at = 0;
  return gaps.map((gap) => (at += gap));
}

const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const tokens = (text) => folded(text).match(/[\p{L}\p{N}\p{Co}]+/gu) ?? [];

/** What stands in the parts whose words begin as this one does. */
async function beginning(kind, starts, word) {
  const main = await part("search");
  const letters = [...word].slice(0, main.beginning).join("");
  const parts = starts.flatMap((start, number) => (start.startsWith(letters) ? [part(`${kind}-${number}`)] : []));
  return (await Promise.all(parts)).flat().filter(([each]) => each.startsWith(word));
}

/** By card, how well all the words fit: 0 in the name, 1 in name or title, 2 anywhere. */
async function wordRanks(words, main) {
  let ranks = null;
  for (const word of new Set(words)) {
    const own = new Map();
    for (const [, places] of await beginning("words", main.words, word)) {
      for (const [rank, gaps] of places.entries()) {
        for (const card of numbers(gaps)) own.set(card, Math.min(rank, own.get(card) ?? rank));
      }
    }
    if (ranks === null) ranks = own;
    else {
      for (const [card, rank] of ranks) {
        if (own.has(card)) ranks.set(card, Math.max(rank, own.get(card)));
        else ranks.delete(card);
      }
    }
  }
  return ranks ?? new Map();
}

/** The ranks of all cards that match; without words all do, and those that open come first. */
async function ranked(query, main) {
  const words = query.split(/\s+/).filter(Boolean).slice(0, 20);
  if (!words.length) {
    const opens = new Set(numbers(main.facets.find((facet) => facet.name === "opens").values.find(([value]) => value === "yes")?.[1] ?? []));
    return new Map(Array.from({ length: main.cards }, (_, card) => [card, opens.has(card) ? 0 : 1]));
  }
  const ranks = await wordRanks(words.flatMap(tokens), main);
  const wanted = words.join("_").toLowerCase();
  for (const [name, card] of await beginning("names", main.names, wanted)) {
    if (ranks.has(card)) ranks.set(card, name === wanted ? -2 : -1);
  }
  return ranks;
}

async function ordered(cards, ranks, sort) {
  if (sort === "size") return (await part("sizes")).filter((card) => cards.has(card));
  const found = [...cards].sort((one, other) => one - other);
  return sort === "date" ? found : found.sort((one, other) => ranks.get(one) - ranks.get(other) || one - other);
}

/** Which cards fit what is chosen in all facets but this one. */
function fitting(matching, choices, except) {
  return matching.filter((card) => choices.every(([name, cards]) => name === except || cards.has(card)));
}

function facetOf(facet, chosen, counts, main) {
  const held = new Map(counts);
  const others = counts.filter(([value, count]) => count && !chosen.includes(value)).map(([value]) => value);
  const all = [...chosen, ...others];
  const values = all.slice(0, main.first + main.more);
  const first = Math.max(main.first, chosen.length);
  const choice = (value) => {
    const shown = element("span", { class: "value", "data-language": facet.name === "language" && value }, facet.name === "task" ? value.replaceAll("-", " ") : value);
    const box = element("input", { type: "checkbox", name: facet.name, value, checked: chosen.includes(value) });
    return element("label", { class: "choice" }, box, shown, element("span", { class: "count" }, (held.get(value) ?? 0).toLocaleString("en")));
  };
  const parts = [element("legend", {}, facet.title), ...values.slice(0, first).map(choice)];
  if (values.length > first) {
    const left = all.length - values.length;
    const note = left ? [element("p", { class: "soft" }, `and ${left.toLocaleString("en")} other${left > 1 ? "s" : ""}: search for one by its name`)] : [];
    const rest = values.slice(first).map(choice);
    parts.push(element("details", { id: `more-${facet.name}` }, element("summary", {}, `${rest.length} more`), ...rest, ...note));
  }
  return element("fieldset", { class: "facet", "data-facet": facet.name }, ...parts);
}

const SAID = { yes: ["opens yes", "opens here"], no: ["opens no", "cannot be opened"] };

function rowOf([name, language, address, title, task, version, date, size, opens, labels, more]) {
  const [kind, said] = SAID[opens] ?? ["opens", "not said whether it opens"];
  const facts = [task, version, date, size].filter(Boolean).map((fact) => ` · ${fact}`).join("");
  const parts = [element("a", { href: new URL(address, home).pathname }, element("strong", {}, name))];
  if (title) parts.push(element("p", {}, title));
  parts.push(element("p", { class: "facts" }, element("span", { lang: language }, language), `${facts} · `, element("span", { class: kind }, said)));
  if (labels.length) {
    const rest = more ? [" ", element("em", {}, `and ${more.toLocaleString("en")} more`)] : [];
    parts.push(element("p", { class: "labels" }, ...labels.map((label) => element("span", {}, label)), ...rest));
  }
  return element("li", { class: "row" }, ...parts);
}

async function rowsOf(cards, main) {
  const parts = await Promise.all(cards.map((card) => part(`rows-${Math.floor(card / main.rows)}`)));
  return cards.map((card, at) => rowOf(parts[at][card % main.rows]));
}

function linkTo(params, changes, attributes, text) {
  const other = new URLSearchParams(params);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) other.delete(name);
    else other.set(name, value);
  }
  const query = other.toString();
  return element("a", { ...attributes, href: query ? `?${query}` : home.pathname }, text);
}

function resultsOf(params, cards, rows, page, main) {
  const total = cards.length;
  const start = (page - 1) * main.page;
  const said = total ? [element("b", {}, `${total.toLocaleString("en")} model${total > 1 ? "s" : ""}`)] : [element("b", {}, "No model"), " matches"];
  if (main.facets.some((facet) => params.has(facet.name))) {
    const changes = Object.fromEntries([...main.facets.map((facet) => [facet.name, null]), ["page", null]]);
    said.push(" · ", linkTo(params, changes, { "data-clear": true }, "Clear all filters"));
  }
  const parts = [element("p", { class: "total", role: "status" }, ...said), element("ol", { class: "rows" }, ...rows)];
  const further = start + main.page < total;
  if (page > 1 || further) {
    const links = [];
    if (page > 1) links.push(linkTo(params, { page: page > 2 ? String(page - 1) : null }, { rel: "prev" }, "Earlier"));
    const place = [Math.min(start + 1, total), Math.min(start + main.page, total), total].map((each) => each.toLocaleString("en"));
    links.push(element("span", {}, `${place[0]} to ${place[1]} of ${place[2]}`));
    if (further) links.push(linkTo(params, { page: String(page + 1) }, { rel: "next" }, "Further"));
    parts.push(element("nav", { class: "paging", "aria-label": "Pages of results" }, ...links));
  }
  return element("div", { id: "results" }, ...parts);
}

/** The part of the search page that changes. */
export async function answered(params) {
  const main = await part("search");
  const ranks = await ranked(params.get("q") ?? "", main);
  const matching = [...ranks.keys()];
  const chosen = new Map(main.facets.map((facet) => [facet.name, [...new Set(params.getAll(facet.name))]]));
  const held = new Map(main.facets.map((facet) => [facet.name, facet.values.map(([value, gaps]) => [value, numbers(gaps)])]));
  const choices = [...chosen].filter(([, values]) => values.length).map(([name, values]) => {
    return [name, new Set(held.get(name).filter(([value]) => values.includes(value)).flatMap(([, cards]) => cards))];
  });
  const facets = main.facets.map((facet) => {
    const others = new Set(fitting(matching, choices, facet.name));
    const counts = held.get(facet.name).map(([value, cards]) => [value, cards.filter((card) => others.has(card)).length]);
    // The order of values is kept among equals.
    counts.sort(([, one], [, other]) => other - one);
    return facetOf(facet, chosen.get(facet.name), counts, main);
  });
  const cards = await ordered(new Set(fitting(matching, choices, null)), ranks, params.get("sort") ?? "relevance");
  const page = Math.max(1, Number.parseInt(params.get("page") ?? "1", 10) || 1);
  const rows = await rowsOf(cards.slice((page - 1) * main.page, page * main.page), main);
  return [element("div", { id: "facets" }, ...facets), resultsOf(params, cards, rows, page, main)];
}
