// One message as the customer's phone shows it. Texts come from strangers: they are only ever set as text.

const TICKS = {
  accepted: ["🕓", "on its way"], sent: ["✓", "sent"], delivered: ["✓✓", "delivered"], read: ["✓✓", "read"],
  played: ["▶✓", "played"], failed: ["!", "failed"],
};
const REACTIONS = ["👍", "❤️", "😂"];

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function button(text, label, act) {
  const node = element("button", "", text);
  node.type = "button";
  if (label) node.setAttribute("aria-label", label);
  node.addEventListener("click", act);
  return node;
}

export function words(message) {
  const content = message.content ?? {};
  switch (message.type) {
    case "text": return content.body ?? "";
    case "template": return content.shown?.body ?? content.name ?? "";
    case "interactive": return content.body?.text ?? content.button_reply?.title ?? content.list_reply?.title ?? content.type;
    case "button": return content.text ?? "";
    case "reaction": return content.emoji ? `reacted ${content.emoji}` : "took a reaction back";
    case "location": return `📍 ${content.name ?? ""} ${content.latitude}, ${content.longitude}`;
    case "contacts": return `👤 ${(Array.isArray(content) ? content : []).map((c) => c.name?.formatted_name).join(", ")}`;
    case "system": return content.body ?? "";
    case "unsupported": return "(something the API cannot show)";
    default: return content.caption ?? content.filename ?? "";
  }
}

function file(message) {
  const { id, link } = message.content ?? {};
  const url = id ? `/admin/media/${encodeURIComponent(id)}` : link;
  if (!url || !/^(https?:|\/admin\/)/.test(url)) return null;
  if (message.type === "image" || message.type === "sticker") {
    const image = element("img");
    image.src = url;
    image.alt = message.content.caption ?? message.type;
    return image;
  }
  if (message.type === "video" || message.type === "audio") {
    const player = element(message.type);
    player.src = url;
    player.controls = true;
    player.setAttribute("aria-label", message.type === "audio" ? "voice note" : "video");
    return player;
  }
  const open = element("a", "", message.content.filename ?? "document");
  open.href = url;
  open.target = "_blank";
  open.rel = "noreferrer";
  return open;
}

function choices(message, say) {
  const content = message.content ?? {};
  const found = [];
  if (message.type === "template") {
    for (const choice of content.shown?.buttons ?? []) {
      const isReply = choice.type === "QUICK_REPLY";
      found.push(isReply
        ? button(choice.text, "", () => say({
          type: "button", button: { payload: payloadOf(content, choice), text: choice.text }, context_message_id: message.id,
        }))
        : element("span", "small", `🔗 ${choice.text}`));
    }
  }
  if (message.type === "interactive" && !message.is_from_customer) {
    for (const { reply } of content.action?.buttons ?? []) {
      found.push(button(reply.title, "", () => say({
        type: "interactive", interactive: { type: "button_reply", button_reply: reply }, context_message_id: message.id,
      })));
    }
    for (const row of (content.action?.sections ?? []).flatMap((section) => section.rows ?? [])) {
      found.push(button(row.title, "", () => say({
        type: "interactive", interactive: { type: "list_reply", list_reply: row }, context_message_id: message.id,
      })));
    }
    if (content.type === "location_request_message") {
      found.push(button("Send my location", "", () => say({
        type: "location", location: { latitude: 3.157764, longitude: 101.711861 }, context_message_id: message.id,
      })));
    }
    if (content.type === "cta_url") found.push(element("span", "small", `🔗 ${content.action?.parameters?.display_text}`));
  }
  if (!found.length) return null;
  const row = element("div", "choices");
  row.append(...found);
  return row;
}

function payloadOf(template, choice) {
  const index = (template.shown?.buttons ?? []).indexOf(choice);
  const given = (template.components ?? []).find((c) => c.type === "button" && Number(c.index) === index);
  return given?.parameters?.[0]?.payload ?? choice.text;
}

function foot(message, { say, quote }) {
  const row = element("div", "foot");
  const time = element("time", "", new Date(message.timestamp * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = new Date(message.timestamp * 1000).toISOString();
  row.append(time);
  if (message.status && TICKS[message.status]) {
    const [sign, name] = TICKS[message.status];
    const code = message.error_code ? ` (${message.error_code})` : "";
    const tick = element("span", message.status === "read" ? "tick-read" : message.status === "failed" ? "failed" : "");
    const mark = element("span", "", sign);
    mark.setAttribute("aria-hidden", "true");
    tick.append(mark, ` ${name}${code}`);
    row.append(tick);
  }
  if (!message.is_from_customer && message.type !== "reaction" && message.status !== "failed") {
    for (const emoji of REACTIONS) {
      row.append(button(emoji, `React with ${emoji}`, () => say({ type: "reaction", reaction: { message_id: message.id, emoji } })));
    }
  }
  row.append(button("Quote", "", () => quote({ id: message.id, words: words(message) || message.type })));
  return row;
}

export function bubble(message, all, acts) {
  const item = element("li", `bubble ${message.is_from_customer ? "mine" : "theirs"}`);
  item.append(element("span", "visually-hidden", message.is_from_customer ? "Customer:" : "Business:"));
  if (message.context_message_id) {
    const original = all.find((other) => other.id === message.context_message_id);
    item.append(element("p", "quote", original ? words(original) || original.type : "an earlier message"));
  }
  const shown = message.content?.shown;
  const header = shown?.header ?? (message.content?.header?.type === "text" ? message.content.header.text : null);
  if (header) item.append(element("p", "strong", header));
  const media = ["image", "video", "audio", "document", "sticker"].includes(message.type) ? file(message) : null;
  if (media) item.append(media);
  const text = words(message);
  if (text) item.append(element("p", "", text));
  const footer = shown?.footer ?? message.content?.footer?.text;
  if (footer) item.append(element("p", "small", footer));
  if (!["text", "image", "video", "audio", "document", "sticker"].includes(message.type)) {
    item.append(element("p", "small", message.type));
  }
  const row = choices(message, acts.say);
  if (row) item.append(row);
  item.append(foot(message, acts));
  return item;
}
