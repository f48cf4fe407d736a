// Keys, seconds spent, live counts, a picked file's text. Every page works without it.
"use strict";

const started = Date.now();

function typing(target) {
  return target.matches("input:not([type=range]), textarea, select");
}

function press(key) {
  const found = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!found || found.disabled) return false;
  if (found.dataset.opens) {
    const box = document.getElementById(found.dataset.opens);
    box.open = true;
    const fields = box.querySelectorAll("textarea");
    fields[fields.length - 1]?.focus();
  } else if (found.dataset.needs) {
    const field = document.getElementById(found.dataset.needs);
    if (field.value.trim()) found.click();
    else field.focus();
  } else if (found.matches("input")) {
    found.focus();
  } else {
    found.click();
  }
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Escape") document.activeElement.blur();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const open = event.target.closest?.("details")?.querySelector("[data-save]");
    const needing = document.querySelector(`[data-needs="${CSS.escape(event.target.id || "-")}"]`);
    (open || needing)?.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.id === "reason" && event.key === "Enter") {
    event.preventDefault();
    document.querySelector('[data-needs="reason"]')?.click();
    return;
  }
  if (event.target.id === "reason" && !event.target.value && /^[1-9]$/.test(event.key)) {
    const quick = document.querySelectorAll("[data-reason]")[Number(event.key) - 1];
    if (quick) {
      event.preventDefault();
      event.target.value = quick.dataset.reason;
    }
    return;
  }
  if (!typing(event.target) && press(event.key)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const quick = event.target.closest("[data-reason]");
  if (quick) document.getElementById("reason").value = quick.dataset.reason;
  const opener = event.target.closest("[data-opens]");
  if (opener && event.detail > 0) document.getElementById(opener.dataset.opens).open = true;
  const needing = event.target.closest("[data-needs]");
  if (needing) {
    const field = document.getElementById(needing.dataset.needs);
    if (!field.value.trim()) {
      event.preventDefault();
      field.focus();
    }
  }
});

document.addEventListener("submit", (event) => {
  const field = event.target.querySelector("#seconds");
  if (field) field.value = ((Date.now() - started) / 1000).toFixed(1);
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "1";
  setTimeout(() => delete event.target.dataset.sent, 3000);
});

document.addEventListener("change", async (event) => {
  const into = event.target.dataset?.into;
  if (into && event.target.files.length) {
    document.getElementById(into).value = await event.target.files[0].text();
  }
  if (event.target.id === "filter") {
    location.search = new URLSearchParams({ filter: event.target.value });
  }
});

const table = document.getElementById("counts");
if (table) {
  let asked = 0;
  let waiting = 0;
  const grouped = (number) => number.toLocaleString("en-US");
  const cell = (tag, text, kind) => {
    const made = document.createElement(tag);
    made.textContent = text;
    made.className = kind;
    return made;
  };
  const names = ["kept", "kept_then", "gained", "lost"];
  const draw = (rows) => {
    const body = table.tBodies[0];
    body.replaceChildren(...rows.map((row) => {
      const line = document.createElement("tr");
      line.append(cell("td", row.source, ""));
      for (const name of names) line.append(cell("td", grouped(row[name]), "num"));
      return line;
    }));
    const sums = table.tFoot.rows[0].cells;
    names.forEach((name, place) => {
      sums[place + 1].textContent = grouped(rows.reduce((sum, row) => sum + row[name], 0));
    });
  };
  const ask = async () => {
    const mine = ++asked;
    const values = { filter: document.getElementById("filter").value };
    for (const end of ["low", "high"]) values[end] = document.getElementById(end).value;
    const answer = await fetch("/whatif/counts?" + new URLSearchParams(values));
    if (mine !== asked) return;
    const fault = document.getElementById("whatif-fault");
    fault.hidden = answer.ok;
    if (answer.ok) draw(await answer.json());
    else {
      const said = new DOMParser().parseFromString(await answer.text(), "text/html");
      fault.textContent = said.querySelector(".warn")?.textContent || String(answer.status);
    }
  };
  document.getElementById("whatif").addEventListener("input", (event) => {
    if (event.target.dataset.for) {
      document.getElementById(event.target.dataset.for).value = event.target.value;
    }
    clearTimeout(waiting);
    waiting = setTimeout(ask, 120);
  });
}
