// The fault switches: each a control, together one body for /admin/faults.

const CHANCES = [
  ["drop_reply_probability", "Take the message, lose the reply"],
  ["drop_request_probability", "Lose the message"],
  ["bad_gateway_probability", "Take the message, answer 502"],
  ["webhooks.duplicate_probability", "Deliver webhooks twice"],
  ["webhooks.reorder_probability", "Mix up the order of statuses"],
  ["webhooks.drop_probability", "Lose webhooks"],
  ["webhooks.bad_signature_probability", "Sign webhooks wrongly first"],
];
const NUMBERS = [
  ["latency_ms", "Answer sends later by (ms)"],
  ["webhooks.delay_ms", "Deliver webhooks later by (ms)"],
  ["throttle_mps", "Take at most (messages a second)"],
];
const ERRORS = [
  ["", "none"], ["130429", "130429 rate limit"], ["131056", "131056 pair rate limit"], ["131048", "131048 spam limit"],
  ["131000", "131000 something went wrong"], ["131016", "131016 unavailable"], ["190", "190 token expired"],
  ["368", "368 account restricted"], ["131042", "131042 payment problem"],
];

function read(faults, path) {
  return path.split(".").reduce((value, key) => value?.[key], faults);
}

function field(label, control) {
  const wrapper = document.createElement("label");
  wrapper.append(label, control);
  return wrapper;
}

function checkbox(name, label) {
  const control = Object.assign(document.createElement("input"), { type: "checkbox", name });
  const wrapper = document.createElement("label");
  wrapper.append(control, ` ${label}`);
  return wrapper;
}

function build(form) {
  const error = Object.assign(document.createElement("select"), { name: "error" });
  error.append(...ERRORS.map(([code, text]) => new Option(text, code)));
  const parts = [field("Refuse every send with", error)];
  for (const [name, label] of NUMBERS) {
    const control = Object.assign(document.createElement("input"), { type: "number", name, min: 0, max: 600000, step: 1 });
    parts.push(field(label, control));
  }
  for (const [name, label] of CHANCES) {
    const control = document.createElement("select");
    control.name = name;
    control.append(new Option("never", "0"), new Option("one in four", "0.25"), new Option("every second", "0.5"), new Option("always", "1"));
    parts.push(field(label, control));
  }
  parts.push(checkbox("status_before_reply", "Report “sent” before the reply"));
  const off = Object.assign(document.createElement("button"), { type: "button", textContent: "No faults" });
  parts.push(off);
  form.append(...parts);
  return off;
}

function gather(form) {
  const value = (name) => form.elements.namedItem(name);
  const faults = { webhooks: {}, status_before_reply: value("status_before_reply").checked };
  const set = (path, given) => {
    const [first, second] = path.split(".");
    if (second) faults[first][second] = given;
    else faults[first] = given;
  };
  for (const [path] of CHANCES) set(path, Number(value(path).value));
  for (const [path] of NUMBERS) if (value(path).value !== "") set(path, Number(value(path).value));
  if (faults.webhooks.delay_ms) faults.webhooks.delay_probability = 1;
  if (value("error").value) faults.errors = [{ code: Number(value("error").value) }];
  return faults;
}

function fill(form, faults) {
  const value = (name) => form.elements.namedItem(name);
  for (const [path] of CHANCES) {
    const chance = String(read(faults, path) ?? 0);
    if (![...value(path).options].some((option) => option.value === chance)) value(path).append(new Option(chance, chance));
    value(path).value = chance;
  }
  for (const [path] of NUMBERS) value(path).value = read(faults, path) || "";
  value("status_before_reply").checked = faults.status_before_reply;
  const code = String(faults.errors?.[0]?.code ?? "");
  if (![...value("error").options].some((option) => option.value === code)) value("error").append(new Option(code, code));
  value("error").value = code;
}

function describe(faults) {
  const on = [...CHANCES, ...NUMBERS].filter(([path]) => read(faults, path)).map(([, label]) => label);
  if (faults.errors?.length) on.unshift(`Refusing with ${faults.errors.map((error) => error.code).join(", ")}`);
  if (faults.status_before_reply) on.push("“sent” before the reply");
  return on.length ? `On: ${on.join("; ")}.` : "None.";
}

export async function showFaults(form, state, ask, complain) {
  const off = build(form);
  const apply = async (faults) => {
    try {
      complain(null);
      const now = await ask("faults", faults);
      fill(form, now);
      state.textContent = describe(now);
    } catch (error) {
      complain(error);
    }
  };
  form.addEventListener("change", () => apply(gather(form)));
  form.addEventListener("submit", (event) => event.preventDefault());
  off.addEventListener("click", () => apply({}));
  const now = await ask("faults");
  fill(form, now);
  state.textContent = describe(now);
}
