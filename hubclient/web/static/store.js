// The store page: verify what is there, take it out.

import { all, one, post } from "./common.js";

const sure = document.getElementById("sure");

function ask(name) {
  one("b", sure).textContent = name;
  sure.returnValue = "no";
  sure.showModal();
  return new Promise((resolve) => {
    sure.addEventListener("close", () => resolve(sure.returnValue === "yes"), { once: true });
  });
}

for (const row of all("tr[data-identity]")) {
  const state = one("[data-state]", row);
  const buttons = all("button", row);
  const act = async (doing, address, done) => {
    for (const button of buttons) button.disabled = true;
    state.className = "";
    state.textContent = doing;
    try {
      done(await (await post(address, { identity: row.dataset.identity })).json());
    } catch (error) {
      state.classList.add("bad");
      state.textContent = error.message;
    }
    for (const button of buttons) button.disabled = false;
  };
  one("[data-verify]", row).addEventListener("click", () =>
    act("hashing every byte", "/api/verify", ({ findings }) => {
      state.classList.add(findings.length ? "bad" : "good");
      state.textContent = findings.length ? findings.join("; ") : "whole";
    }),
  );
  one("[data-remove]", row).addEventListener("click", async () => {
    if (!(await ask(one("th", row).firstChild.textContent))) return;
    await act("removing", "/api/remove", ({ freed }) => {
      state.textContent = `removed, ${freed} freed`;
      row.classList.add("gone");
      for (const button of buttons) button.remove();
    });
  });
}
