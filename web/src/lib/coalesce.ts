/**
 * Gathers ids while a request is under way and asks for all of them in the next one. The first is asked at once, so a
 * single event is as quick as without; a burst of hundreds costs a few requests.
 */
export function gatherIds(ask: (ids: string[]) => Promise<unknown>, most = 100): (ids: string[]) => void {
  const waiting = new Set<string>();
  let busy = false;

  const run = async () => {
    busy = true;
    while (waiting.size > 0) {
      const ids = [...waiting].slice(0, most);
      for (const id of ids) waiting.delete(id);
      await ask(ids).catch(() => undefined);
    }
    busy = false;
  };
  return (ids) => {
    for (const id of ids) waiting.add(id);
    if (!busy && waiting.size > 0) void run();
  };
}

/** Runs at once, then at most every `ms`; the last call is never lost. */
export function throttle(run: () => void, ms: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const fire = () => {
    run();
    timer = setTimeout(() => {
      timer = undefined;
      if (again) {
        again = false;
        fire();
      }
    }, ms);
  };
  return () => {
    if (timer) again = true;
    else fire();
  };
}
