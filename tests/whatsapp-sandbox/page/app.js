// Plays the customer: everything the page knows it asks the sandbox, and asks again when the sandbox says something moved.
import { bubble } from "/page/bubbles.js";
import { showFaults } from "/page/faults.js";

const $ = (id) => document.getElementById(id);
const digits = (text) => text.replace(/\D/g, "");
let quoted = null;
// Bubbles by message: only what changed is drawn anew, so that screen readers hear news and nothing twice.
const drawn = new Map();
let drawnChat = "";

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  };
  const response = await fetch(`/admin/${path}`, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`);
  return answer;
}

function complain(error) {
  $("problem").hidden = !error;
  $("problem").textContent = error ? `That did not work: ${error.message}` : "";
}

const number = () => $("number").value;
const phone = () => digits($("phone").value);

async function act(work) {
  try {
    complain(null);
    await work();
  } catch (error) {
    complain(error);
  }
}

function say(message) {
  return act(async () => {
    if (!$("setup").reportValidity()) return;
    const context = quoted ? { context_message_id: quoted } : {};
    await ask(`customers/${phone()}/messages`, {
      phone_number_id: number(), name: $("name").value.trim() || undefined, ...context, ...message,
    });
    quote(null);
    $("log").scrollTop = $("log").scrollHeight;
    await refresh();
  });
}

function quote(entry) {
  quoted = entry?.id ?? null;
  $("quoting").hidden = !entry;
  $("quoting").querySelector("span").textContent = entry ? `Quoting: ${entry.words}` : "";
  if (entry) $("composer-text").focus();
}

async function listNumbers() {
  const { accounts } = await ask("accounts");
  const chosen = number() || localStorage.getItem("number");
  $("number").replaceChildren(...accounts.map((account) => {
    const option = new Option(`${account.display_phone_number} · ${account.verified_name}`, account.phone_number_id);
    option.selected = account.phone_number_id === chosen;
    return option;
  }));
}

async function listThreads() {
  const { threads } = await ask(`chat/${number()}`);
  $("threads").replaceChildren(...threads.map((thread) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-current", String(thread.phone === phone()));
    const name = document.createElement("span");
    name.textContent = `${thread.name ?? "Customer"} · +${thread.phone}`;
    const state = document.createElement("span");
    state.className = "quiet";
    state.textContent = thread.is_open ? "window open" : "window closed";
    button.append(name, state);
    button.addEventListener("click", () => {
      $("phone").value = `+${thread.phone}`;
      $("name").value = thread.name ?? "";
      remember();
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
  $("phones").replaceChildren(...threads.map((thread) => new Option(thread.name ?? "", `+${thread.phone}`)));
}

async function showChat() {
  if (phone().length < 7) return;
  const chat = await ask(`chat/${number()}/${phone()}`);
  $("chat-title").textContent = `${chat.customer.name} (+${chat.customer.phone})`;
  $("window").textContent = chat.is_open
    ? `Window open until ${new Date((chat.last_customer_message_at + 86400) * 1000).toLocaleString()}`
    : "Window closed: only templates arrive until the customer writes.";
  draw(`${number()} ${phone()}`, chat.messages);
  const hasUnread = chat.messages.some((m) => !m.is_from_customer && ["sent", "delivered"].includes(m.status));
  if (hasUnread && $("auto-read").checked && document.visibilityState === "visible") {
    await ask(`customers/${phone()}/read`, { phone_number_id: number() });
  }
}

function draw(chat, messages) {
  const list = $("messages");
  const log = $("log");
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  if (chat !== drawnChat) {
    list.replaceChildren();
    drawn.clear();
    drawnChat = chat;
  }
  const ids = new Set(messages.map((message) => message.id));
  for (const [id, { node }] of drawn) {
    if (!ids.has(id)) {
      node.remove();
      drawn.delete(id);
    }
  }
  for (const message of messages) {
    const state = JSON.stringify(message);
    const before = drawn.get(message.id);
    if (before?.state === state) continue;
    const node = bubble(message, messages, { say, quote });
    if (before) before.node.replaceWith(node);
    else list.append(node);
    drawn.set(message.id, { state, node });
  }
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

// One refresh at a time, and one more when something moved meanwhile.
let refreshing = null;
let isStale = false;
async function refresh() {
  isStale = true;
  refreshing ??= (async () => {
    try {
      while (isStale) {
        isStale = false;
        await listThreads();
        await showChat();
      }
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}

function remember() {
  localStorage.setItem("number", number());
  localStorage.setItem("phone", $("phone").value);
  localStorage.setItem("name", $("name").value);
  quote(null);
  act(refresh);
}

function listen() {
  const events = new EventSource("/admin/events");
  events.onopen = () => { $("connection").textContent = "Live"; act(refresh); };
  events.onerror = () => { $("connection").textContent = "Reconnecting…"; };
  events.onmessage = () => act(refresh);
}

async function fileToBase64(file) {
  const url = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  return url.slice(url.indexOf(",") + 1);
}

function kindOf(mime) {
  if (mime === "image/webp") return "sticker";
  const major = mime.split("/")[0];
  return ["image", "video", "audio"].includes(major) ? major : "document";
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("composer-text").value.trim();
  if (!text) return;
  $("composer-text").value = "";
  say({ text });
});
$("composer-text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
});
$("file").addEventListener("change", (event) => act(async () => {
  const [file] = event.target.files;
  if (!file) return;
  const mime_type = file.type || "application/octet-stream";
  const type = kindOf(mime_type);
  const caption = $("composer-text").value.trim();
  const details = { ...(caption && type !== "audio" && type !== "sticker" ? { caption } : {}) };
  if (type === "document") details.filename = file.name;
  await say({ type, [type]: details, file: { base64: await fileToBase64(file), mime_type } });
  $("composer-text").value = "";
  event.target.value = "";
}));
$("location").addEventListener("click", () => say({
  type: "location",
  location: { latitude: 3.157764, longitude: 101.711861, name: "Petronas Twin Towers", address: "Kuala Lumpur City Centre" },
}));
$("voice").addEventListener("click", () => say({ type: "audio" }));
$("unsupported").addEventListener("click", () => say({
  type: "unsupported",
  unsupported: { type: "poll_creation" },
  errors: [{ code: 131051, title: "Message type unknown", message: "Message type unknown", error_data: { details: "Message type is currently not supported." } }],
}));
$("stop").addEventListener("click", () => act(() =>
  ask(`customers/${phone()}/preference`, { phone_number_id: number(), value: "stop" })));
$("quote-off").addEventListener("click", () => quote(null));
$("setup").addEventListener("change", remember);
$("setup").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("visibilitychange", () => act(refresh));

$("phone").value = localStorage.getItem("phone") ?? $("phone").value;
$("name").value = localStorage.getItem("name") ?? $("name").value;
act(async () => {
  await listNumbers();
  await showFaults($("faults"), $("faults-state"), ask, complain);
  listen();
});
