// The offline file: shows its items one by one, keeps what was decided, saves it as a file.
"use strict";

const told = JSON.parse(document.getElementById("told").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
const store = `cqia-${told.signature}`;
const fields = ["instruction", "input", "output"];
const keys = { approve: "a", fix: "f", reject: "r", undo: "u" };
let decided = [];
let started = Date.now();

try {
  decided = JSON.parse(localStorage.getItem(store) || "[]");
} catch {
  decided = [];
}

const one = (id) => document.getElementById(id);
const item = () => told.items.find((each) => !decided.some((row) => row.record === each.record));

function keep() {
  try {
    localStorage.setItem(store, JSON.stringify(decided));
  } catch {
    // A browser that forbids storage still holds the decisions until the page is closed.
  }
}

function visible(text) {
  const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
  return text.replace(hidden, (char) =>
    "⟦U+" + char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟧");
}

function show() {
  const now = item();
  started = Date.now();
  one("progress").max = told.items.length || 1;
  one("progress").value = decided.length;
  one("count").textContent = `${decided.length} / ${told.items.length}`;
  one("fault").hidden = true;
  one("reason").value = "";
  one("note").value = "";
  one("texts").replaceChildren();
  if (!now) {
    const over = document.createElement("p");
    over.textContent = words["offline.over"];
    one("texts").append(over);
    return;
  }
  for (const name of fields) {
    if (!now[name] && name === "input") continue;
    const head = document.createElement("h3");
    head.className = "field";
    head.textContent = words[`field.${name}`];
    const text = document.createElement("div");
    text.className = "text";
    text.dir = "auto";
    text.textContent = visible(now[name]);
    const editor = document.createElement("textarea");
    editor.id = `edit-${name}`;
    editor.rows = 6;
    editor.value = now[name];
    editor.hidden = true;
    one("texts").append(head, text, editor);
  }
}

function complain(key) {
  one("fault").textContent = words[key];
  one("fault").hidden = false;
}

function act(action) {
  if (action === "undo") {
    decided.pop();
    keep();
    show();
    return;
  }
  const now = item();
  if (!now) return;
  const row = {
    record: now.record, action, reason: one("reason").value.trim(),
    note: one("note").value.trim(), seconds: (Date.now() - started) / 1000,
  };
  if (action === "reject" && !row.reason) {
    one("reason").focus();
    complain("offline.reason");
    return;
  }
  if (action === "fix") {
    const editors = fields.map((name) => one(`edit-${name}`)).filter(Boolean);
    if (editors.some((editor) => editor.hidden)) {
      editors.forEach((editor) => { editor.hidden = false; });
      editors[editors.length - 1].focus();
      return;
    }
    for (const editor of editors) {
      const name = editor.id.slice(5);
      if (editor.value !== now[name].replace(/\r\n?/g, "\n")) row[name] = editor.value;
    }
    if (!fields.some((name) => name in row)) {
      complain("offline.change");
      return;
    }
  }
  decided.push(row);
  keep();
  show();
}

function save() {
  const result = {
    round: told.round, person: told.person, signature: told.signature, decisions: decided,
  };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(result)], { type: "application/json" }));
  link.download = `round-${told.round}-${told.person}.json`;
  link.click();
}

for (const action of ["approve", "fix", "reject", "undo", "save"]) {
  const button = document.createElement("button");
  button.type = "button";
  button.id = `do-${action}`;
  button.textContent = action === "save" ? words["offline.save"]
    : `${words[`do.${action}`]} (${keys[action]})`;
  if (action === "approve" || action === "save") button.className = "main";
  button.addEventListener("click", () => (action === "save" ? save() : act(action)));
  one("actions").append(button);
}

one("work").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, textarea") || event.ctrlKey || event.metaKey) return;
  const action = Object.keys(keys).find((name) => keys[name] === event.key);
  if (action) {
    event.preventDefault();
    act(action);
  }
});
show();
