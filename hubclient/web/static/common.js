// What several pages share: elements, copying, the server's answers.

export const one = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** An element with text and attributes; what stands in it is never read as HTML. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const made = document.createElementNS(space, "svg");
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", new URL("icons.svg", import.meta.url).pathname + "#" + name);
  made.append(use);
  return made;
}

/** Ask the server to do something. Throws an Error that says what went wrong, with `columns` where a file has several. */
export async function post(address, body, options = {}) {
  const headers = { "x-hub-token": one('meta[name="token"]').content };
  const json = !(body instanceof Blob);
  if (json) headers["content-type"] = "application/json";
  const answer = await fetch(address, { method: "POST", headers, body: json ? JSON.stringify(body) : body, ...options });
  if (answer.ok) return answer;
  const text = await answer.text();
  let said = { what: text.trim() || `the server answered ${answer.status}` };
  try {
    const parsed = JSON.parse(text);
    if (parsed.what) said = parsed;
  } catch {
    // It was no JSON: the text is all there is.
  }
  const error = new Error([said.what, said.why].filter(Boolean).join(": ") + (said.hint ? ` (${said.hint})` : ""));
  error.columns = said.columns;
  throw error;
}

const languages = new Intl.DisplayNames([navigator.language, "en"], { type: "language", fallback: "none" });

/** Say the names of languages whose codes stand on the page; xx is the hub's code for several. */
export function nameLanguages(root = document) {
  for (const node of all("[data-language]", root)) {
    const code = node.dataset.language;
    let name;
    try {
      name = code === "xx" ? "several languages" : languages.of(code);
    } catch {
      name = undefined;
    }
    if (name && !node.dataset.named) {
      node.dataset.named = "yes";
      node.append(" ", element("small", {}, name));
    }
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without the permission, the old way.
    const area = element("textarea", { class: "hidden" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const before = one("svg", button);
  const done = icon("check");
  before.replaceWith(done);
  button.classList.add("done");
  setTimeout(() => {
    done.replaceWith(before);
    button.classList.remove("done");
  }, 1500);
});

for (const tabs of all("[data-tabs]")) {
  const buttons = all('[role="tab"]', tabs);
  const show = (chosen, focus) => {
    for (const button of buttons) {
      const open = button === chosen;
      button.setAttribute("aria-selected", String(open));
      button.tabIndex = open ? 0 : -1;
      document.getElementById(button.getAttribute("aria-controls")).hidden = !open;
    }
    if (focus) chosen.focus();
  };
  tabs.addEventListener("click", (event) => {
    const button = event.target.closest('[role="tab"]');
    if (button) show(button, false);
  });
  tabs.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(event.target);
    if (at < 0) return;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(buttons[(to + buttons.length) % buttons.length], true);
  });
}

nameLanguages();
