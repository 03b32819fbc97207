/** A JSON request that says what went wrong instead of letting a test fail somewhere later. */
export async function ask<T = unknown>(url: string | URL, options: { method?: string; headers?: Record<string, string>; body?: unknown } = {}): Promise<T> {
  const { method = options.body === undefined ? 'GET' : 'POST', headers = {}, body } = options;
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text.slice(0, 400)}`);
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Asks again until the answer is there. For what the product does in its own time; never a fixed wait. */
export async function eventually<T>(what: string, attempt: () => Promise<T | undefined>, withinMs = 15_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await attempt();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${withinMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
