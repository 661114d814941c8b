// The desk works without this file. It adds keys, live changes and signs of life; nothing here decides anything.
const $ = (query, from = document) => from.querySelector(query);
const all = (query, from = document) => [...from.querySelectorAll(query)];
const say = (words) => { $("#live").textContent = words; };
const me = document.body.dataset.me;

// ---- the part of the page that lives: fetched again as a whole, with the focus kept by id
async function refresh() {
  const part = $("#part");
  if (!part) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.closest("[data-row]")?.id;
  for (const query of ["#part", ".tabs"]) {
    const fresh = $(query, page);
    if (fresh && $(query)) $(query).replaceWith(document.adoptNode(fresh));
  }
  localize();
  if (focused) $(`[id="${focused}"] a`)?.focus();
  fresh = 0;
  if ($("#new")) $("#new").hidden = true;
}

let fresh = 0;
function announce(count) {
  const banner = $("#new");
  if (!banner || !count) return;
  fresh += count;
  $("span", banner).textContent = `${fresh} new review${fresh === 1 ? "" : "s"}.`;
  banner.hidden = false;
}

function badge(row, words, kind) {
  const cell = $("[data-holder]", row);
  if (!cell) return;
  const mark = document.createElement("span");
  mark.className = `badge ${kind}`;
  mark.textContent = words;
  cell.replaceChildren(mark);
}

function onRows(told) {
  for (const id of told.gone ?? []) {
    const row = document.getElementById(id);
    if (!row) continue;
    if (row.contains(document.activeElement)) {  // whoever reads it keeps their place
      row.classList.add("gone");
      badge(row, "done elsewhere", "");
    } else row.remove();
  }
  for (const [id, [who, name]] of Object.entries(told.held ?? {})) {
    const row = document.getElementById(id);
    if (!row) continue;
    row.classList.toggle("taken", who !== me);
    badge(row, who === me ? "you" : name || "somebody", who === me ? "mine" : "held");
  }
  for (const id of told.free ?? []) {
    const row = document.getElementById(id);
    if (!row) continue;
    row.classList.remove("taken", "gone");
    badge(row, "nobody", "");
  }
}

function onReview(told, split) {
  const { review: id, state } = split.dataset;
  const mine = "mine" in split.dataset;
  const holder = told.held?.[id];
  let words = "";
  if (told.gone?.includes(id) && state !== "decided") words = "This review was settled or moved elsewhere.";
  else if (holder && holder[0] !== me) words = `${holder[1] || "Somebody"} is working on this now.`;
  else if (mine && told.free?.includes(id)) words = "This review is not yours any more.";
  else if (!mine && state === "claimed" && told.free?.includes(id)) words = "This review is free again.";
  const banner = $("#elsewhere");
  if (words && banner && !left) {
    $("span", banner).textContent = words;
    banner.hidden = false;
  }
}

function take(told) {
  if (told.much) { refresh(); return; }
  onRows(told);
  const part = $("#part[data-live]");
  if (part && ["open", "unclaimed"].includes(part.dataset.view)) {
    const roles = part.dataset.roles.split(" ");
    const { checkpoint } = part.dataset;
    announce((told.new ?? [])
      .filter(([place, role]) => (!checkpoint || place === checkpoint) && (roles[0] === "*" || roles.includes(role)))
      .reduce((sum, [, , count]) => sum + count, 0));
  }
  const split = $("[data-review]");
  if (split) onReview(told, split);
}

// ---- one stream per browser: the tab that holds the lock listens and tells the others
function listen(tell) {
  let lost = false;
  const source = new EventSource("/events");
  source.addEventListener("reviews", (event) => tell(JSON.parse(event.data)));
  source.addEventListener("ready", () => { if (lost) tell({ much: true }); lost = false; });
  source.addEventListener("error", () => {
    lost = true;
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(tell), 10_000);
  });
}

if (me && ($("[data-live]") || $("[data-review]"))) {
  if (navigator.locks && window.BroadcastChannel) {
    const channel = new BroadcastChannel("fairlead-reviews");
    channel.addEventListener("message", (event) => take(event.data));
    navigator.locks.request("fairlead-events", () => new Promise(() => {
      listen((told) => { take(told); channel.postMessage(told); });
    }));
  } else listen(take);
}

// ---- a page about work under way looks again until that is done
(function follow() {
  if (!$("#part[data-busy]")) return;
  setTimeout(async () => {
    if (!document.hidden) await refresh().catch(() => {});
    if (!$("#part[data-busy]")) say("Done. The page shows how it ended.");
    follow();
  }, 2_000);
})();

// ---- a claimed review stays claimed while its page is open and looked at
let left = false;
const held = $("[data-review][data-mine]");
if (held) {
  const beat = async () => {
    if (document.hidden || left) return;
    const answer = await fetch(`/reviews/${held.dataset.review}/heartbeat`, { method: "POST" });
    if (answer.status === 409) onReview({ free: [held.dataset.review] }, held);
  };
  setInterval(beat, Math.max(20, held.dataset.lease / 3) * 1000);
}
addEventListener("submit", (event) => {
  left = true;
  const { submitter } = event;
  // Pressed twice is meant once; the name and value of the button must still be sent.
  setTimeout(() => { if (submitter) submitter.disabled = true; });
});
addEventListener("pageshow", () => {
  left = false;
  all("button:disabled").forEach((one) => { one.disabled = false; });
});

// ---- the seconds in which a verdict can be taken back
for (const box of all("[data-undo]")) {
  const tick = () => {
    const seconds = Math.ceil((Date.parse(box.dataset.undo) - Date.now()) / 1000);
    if (seconds <= 0) { box.hidden = true; return; }
    $("[data-left]", box).textContent = `(${seconds} s)`;
    setTimeout(tick, 500);
  };
  tick();
}

// ---- moments in the reader's own form, beside what stands there
function localize() {
  for (const one of all("time[datetime]:not([data-here])")) {
    const here = new Date(one.dateTime);
    if (Number.isNaN(here.valueOf())) continue;
    one.dataset.here = "";
    one.title = here.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    if (one.title && / UTC$/.test(one.textContent)) one.textContent = one.title;
  }
}
localize();

// ---- keys
const rows = () => all("[data-row] th a");
function move(step) {
  const list = rows();
  if (!list.length) return;
  const at = list.findIndex((one) => one.closest("tr").contains(document.activeElement));
  const next = list[at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function press(key) {
  const target = $(`[data-key="${key}"]`);
  if (!target) return false;
  if (target.tagName !== "DETAILS") { target.click(); return true; }
  for (const other of all(`details[name="${target.getAttribute("name")}"]`)) other.open = other === target;
  $("input:not([type=hidden]), select, textarea", target)?.focus();
  return true;
}

function answer() {
  const field = $("[data-answer] input:not([type=hidden]), [data-answer] select, [data-answer] textarea");
  field?.focus();
  return Boolean(field);
}

async function claimRow() {
  const row = document.activeElement?.closest("[data-row]");
  if (!row) return;
  const result = await fetch(`/reviews/${row.id}/claim`, { method: "POST", headers: { Accept: "text/html" } });
  if (result.ok) { location.assign(`/reviews/${row.id}`); return; }
  badge(row, "not free", "held");
  say("Somebody else holds this review, or another one of this customer.");
}

async function help() {
  let dialog = $("dialog");
  if (!dialog) {
    const page = new DOMParser().parseFromString(await (await fetch("/help")).text(), "text/html");
    dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "help-title");
    const close = document.createElement("form");
    close.method = "dialog";
    close.append(Object.assign(document.createElement("button"), { textContent: "Close" }));
    dialog.append(...$("#help", page).children, close);
    document.body.append(dialog);
  }
  dialog.showModal();
}

const KEYS = {
  j: () => move(1), k: () => move(-1),
  c: () => press("c") || claimRow(),
  a: () => press("a"), r: () => press("r"), x: () => press("x"), u: () => press("u"),
  e: () => press("e") || answer(),
  "/": () => { const box = $("[data-search]"); if (box) box.focus(); else location.assign("/reviews"); },
  "?": help,
};
// Ctrl+Enter sends the form one types in, where its only button says what is meant.
function send(form) {
  const [button, ...others] = all("button[type=submit]", form);
  if (button && !others.length && !button.disabled) form.requestSubmit(button);
}
addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat) {
    const form = event.target.closest("form[method=post]");
    if (form && event.target.closest("input, select, textarea")) { event.preventDefault(); send(form); }
    return;
  }
  const typing = event.target.closest("input, select, textarea, dialog");
  if (event.key === "Escape" && typing && !typing.matches("dialog")) { typing.blur(); return; }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat && !"jk".includes(event.key)) return;
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});

addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if ("refresh" in link.dataset && !new URLSearchParams(location.search).has("after")) { event.preventDefault(); refresh(); }
  if ("help" in link.dataset) { event.preventDefault(); help(); }
});
addEventListener("change", (event) => { if ("submit" in event.target.dataset) event.target.form.requestSubmit(); });
$("#problem")?.focus();

// A wide graph begins where its cases begin, not at its empty corner.
for (const canvas of document.querySelectorAll(".pb-canvas")) {
  const first = canvas.querySelector(".pb-shape")?.getBoundingClientRect();
  if (first) canvas.scrollLeft += first.left + first.width / 2 - canvas.getBoundingClientRect().left - canvas.clientWidth / 2;
}
