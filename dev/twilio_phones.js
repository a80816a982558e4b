// The phones page: polls the simulator once a second and shows what changed.
// Texts are set by textContent alone: whatever a body holds, it is shown and never run.
"use strict";

const $ = (id) => document.getElementById(id);
const POLL_MS = 1000;
const E164 = /^\+[1-9]\d{6,14}$/;
const WORDS = {
  accepted: "Accepted by Twilio",
  queued: "Waiting in Twilio’s queue",
  sending: "Being sent",
  sent: "Sent, no delivery report yet",
  delivered: "Delivered",
  undelivered: "Never reached this phone",
  failed: "Never left Twilio",
  canceled: "Cancelled",
};

let picked = "";
let listVersion = "";
let talkVersion = "";
let asked = 0; // answers to a question that is no longer asked are dropped
let lastList = null;
let senders = [];
const rows = new Map(); // number -> <li>
const bubbles = new Map(); // key -> <li>

// What was read, so that the dot survives a reload. A browser that keeps nothing still works.
const seen = (() => {
  try { return new Map(JSON.parse(localStorage.getItem("seen") || "[]")); } catch { return new Map(); }
})();
function markSeen(number, texts) {
  if (seen.get(number) === texts) return;
  seen.set(number, texts);
  try { localStorage.setItem("seen", JSON.stringify([...seen])); } catch { /* private window */ }
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const longDay = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const sameDay = (a, b) => a.toDateString() === b.toDateString();
function when(at) {
  const date = new Date(at);
  return sameDay(date, new Date()) ? clock.format(date) : shortDay.format(date);
}
function timeElement(at, words) {
  const time = make("time", "", words);
  time.dateTime = at;
  time.title = new Date(at).toString();
  return time;
}

// Put the children in order without touching those in place, so that focus and scrolling stay.
function order(parent, wanted) {
  wanted.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] || null);
  });
  while (parent.children.length > wanted.length) parent.lastElementChild.remove();
}

// -- the list -------------------------------------------------------------------------------

function phoneRow(phone) {
  let row = rows.get(phone.number);
  if (!row) {
    row = make("li");
    const link = make("a", "phone");
    link.href = `#${phone.number}`;
    const dot = make("span", "dot");
    dot.setAttribute("aria-hidden", "true");
    link.append(dot, make("span", "number", phone.number), make("time"), make("span", "last"), make("span", "unseen state"));
    row.append(link);
    rows.set(phone.number, row);
  }
  const link = row.firstElementChild;
  const unread = phone.number !== picked && phone.texts > (seen.get(phone.number) || 0);
  link.classList.toggle("unread", unread);
  link.setAttribute("aria-current", String(phone.number === picked));
  const time = link.querySelector("time");
  time.dateTime = phone.at;
  time.textContent = when(phone.at);
  const last = link.querySelector(".last");
  last.textContent = (phone.direction === "inbound" ? "You: " : "") + phone.body;
  last.dir = "auto";
  link.querySelector(".state").textContent = unread ? ", unread" : "";
  return row;
}

function showList() {
  if (!lastList) return;
  const wanted = $("search").value.trim();
  const { phones, total } = lastList;
  order($("phones"), phones.map(phoneRow));
  $("no-texts").hidden = total > 0 || wanted !== "";
  $("pick").hidden = picked !== "" || total === 0;
  const exact = phones.some((phone) => phone.number === wanted);
  $("write-first").hidden = !E164.test(wanted) || exact;
  $("write-first-link").textContent = `Write from ${wanted}`;
  $("write-first-link").href = `#${wanted}`;
  const noun = (count) => (count === 1 ? "1 phone" : `${count} phones`);
  let found = total ? noun(total) : "";
  if (wanted) found = phones.length ? `${noun(phones.length)} with ${wanted}` : `No phone has ${wanted} in its number.`;
  else if (total > phones.length) found = `The latest ${phones.length} of ${noun(total)}: search finds the others.`;
  if ($("found").textContent !== found) $("found").textContent = found;
}

// -- the conversation -----------------------------------------------------------------------

function stateOf(text) {
  if (text.direction === "inbound") return "Sent";
  if (text.direction === "carrier") return "From the carrier";
  const words = WORDS[text.status] || text.status;
  return text.error ? `${words} (${text.error})` : words;
}

function bubble(text) {
  let item = bubbles.get(text.key);
  if (!item) {
    item = make("li", "text");
    const body = make("div", "bubble", text.body);
    body.dir = "auto";
    const facts = make("div", "facts");
    facts.append(make("span", "who"), make("span", "time"), make("span", "state"));
    item.append(body, facts);
    bubbles.set(text.key, item);
  }
  const never = text.status === "failed" || text.status === "undelivered";
  const waiting = ["accepted", "queued", "sending"].includes(text.status);
  item.className = `text ${text.direction}${never ? " never" : ""}${waiting ? " waiting" : ""}`;
  const who = text.direction === "inbound" ? `To ${text.sender}` : text.sender || "Sender not chosen yet";
  item.querySelector(".who").textContent = senders.length > 1 ? `${who} · ` : "";
  item.querySelector(".time").replaceChildren(timeElement(text.at, clock.format(new Date(text.at))), " · ");
  const state = item.querySelector(".state");
  if (state.textContent !== stateOf(text)) state.textContent = stateOf(text);
  return item;
}

function showTalk(talk, first) {
  const scroll = $("scroll");
  const atEnd = first || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
  const items = [];
  let day = null;
  for (const text of talk.texts) {
    const date = new Date(text.at);
    if (!day || !sameDay(day, date)) {
      const key = `day ${date.toDateString()} ${text.key}`;
      if (!bubbles.has(key)) bubbles.set(key, make("li", "day", longDay.format(date)));
      items.push(bubbles.get(key));
      day = date;
    }
    const isNew = !bubbles.has(text.key);
    items.push(bubble(text));
    if (isNew && !first && text.direction !== "inbound") $("news").textContent = `New text from ${text.sender}: ${text.body}`;
  }
  order($("texts"), items);
  $("nothing-said").hidden = talk.texts.length > 0;
  $("blocked").hidden = talk.blocked.length === 0;
  $("blocked").textContent = `Opted out of ${talk.blocked.join(" and ")}: texts from there are refused with 21610.`;
  if (first) fillSenders(talk.texts);
  if (atEnd) scroll.scrollTop = scroll.scrollHeight;
}

// An answer goes to whoever wrote last, unless another sender is chosen.
function fillSenders(texts) {
  const last = [...texts].reverse().find((text) => senders.includes(text.sender));
  $("to").replaceChildren(...senders.map((number) => new Option(number, number, false, last && number === last.sender)));
  $("to-row").hidden = senders.length < 2;
}

function pick() {
  const number = decodeURIComponent(location.hash.slice(1));
  const before = picked;
  picked = E164.test(number) ? number : "";
  talkVersion = "";
  bubbles.clear();
  $("texts").replaceChildren();
  $("news").textContent = "";
  $("answer").value = "";
  $("main").classList.toggle("picked", picked !== "");
  $("conversation").hidden = picked === "";
  $("talk-title").textContent = picked;
  document.title = (picked ? `${picked} — ` : "") + "Phones — Twilio simulator";
  showList();
  if (picked) $("talk-title").focus();
  else if (rows.has(before)) rows.get(before).firstElementChild.focus();
  refresh();
}

// -- talking to the simulator ---------------------------------------------------------------

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (answer.status === 204) return null;
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

function trouble(words) {
  $("trouble").hidden = !words;
  if ($("trouble").textContent !== words) $("trouble").textContent = words;
}

async function refresh() {
  const mine = ++asked;
  const number = picked;
  try {
    const list = await ask(`/_sim/phones?since=${listVersion}&q=${encodeURIComponent($("search").value)}`);
    if (mine !== asked) return;
    if (list) {
      lastList = list;
      listVersion = list.version;
      senders = list.senders;
    }
    if (number) {
      const talk = await ask(`/_sim/phones/${encodeURIComponent(number)}?since=${talkVersion}`);
      if (mine !== asked) return;
      if (talk) {
        const first = talkVersion === "";
        talkVersion = talk.version;
        showTalk(talk, first);
        markSeen(number, talk.count);
      }
    }
    if (list) showList();
    trouble("");
  } catch {
    if (mine === asked) trouble("The simulator does not answer. Start it again: this page goes on by itself.");
  }
}

async function answer(event) {
  event.preventDefault();
  const body = $("answer").value.trim();
  if (!body || !picked) return;
  const button = event.target.querySelector("button");
  button.disabled = true;
  try {
    const made = await fetch("/_sim/inbound", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ from: picked, to: $("to").value, body }),
    });
    if (!made.ok) throw new Error((await made.json()).error);
    $("answer").value = "";
    await refresh();
    $("scroll").scrollTop = $("scroll").scrollHeight;
  } catch (error) {
    trouble(`The text was not sent. ${error.message}`);
  } finally {
    button.disabled = false;
    $("answer").focus();
  }
}

$("answer-form").addEventListener("submit", answer);
$("answer").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("answer-form").requestSubmit();
});
$("search-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const wanted = $("search").value.trim();
  if (E164.test(wanted)) location.hash = wanted;
});
$("search").addEventListener("input", () => { listVersion = ""; refresh(); });
window.addEventListener("hashchange", pick);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
setInterval(() => { if (!document.hidden) refresh(); }, POLL_MS);
pick();
