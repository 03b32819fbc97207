import { useEffect, useMemo, useRef, useState } from 'react';
import { trackPresence } from '@/lib/realtime';

/** Realtime allows a client 5 presence calls in 30 s and closes the channel of one that makes more. */
const GAP_MS = 7_000;
/** Somebody who stopped for this long is not typing any more. */
const IDLE_MS = 6_000;

interface Person {
  user_id: string;
  full_name: string;
}

/** Says "… is typing" to colleagues in the same conversation, and who of them is. */
export function useTyping(topic: string, me: Person) {
  const [people, setPeople] = useState<Record<string, Record<string, unknown>[]>>({});
  const { user_id, full_name } = me;
  const announcer = useMemo(
    () => createAnnouncer(topic, { user_id, full_name }),
    [topic, user_id, full_name],
  );
  const latest = useRef(announcer);
  useEffect(() => {
    latest.current = announcer;
    return () => announcer.stop();
  }, [announcer]);

  const typing = Object.values(people)
    .flatMap((each) => each.slice(-1))
    .filter((each) => each.typing === true && each.user_id !== user_id)
    .map((each) => String(each.full_name ?? 'A colleague'));

  return {
    typing,
    onPresence: setPeople,
    onJoined: announcer.joined,
    keyPressed: announcer.keyPressed,
    stopped: announcer.stopped,
  };
}

function createAnnouncer(topic: string, me: Person) {
  let announced: boolean | undefined;
  let wanted = false;
  let lastCall = 0;
  let gap: ReturnType<typeof setTimeout> | undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;

  const announce = () => {
    clearTimeout(gap);
    if (announced === wanted) return;
    const wait = lastCall + GAP_MS - Date.now();
    if (wait > 0) {
      gap = setTimeout(announce, wait);
      return;
    }
    announced = wanted;
    lastCall = Date.now();
    trackPresence(topic, { ...me, typing: wanted });
  };
  const want = (typing: boolean) => {
    wanted = typing;
    announce();
  };
  return {
    joined: () => {
      announced = undefined;
      announce();
    },
    keyPressed: () => {
      clearTimeout(idle);
      idle = setTimeout(() => want(false), IDLE_MS);
      want(true);
    },
    stopped: () => {
      clearTimeout(idle);
      want(false);
    },
    stop: () => {
      clearTimeout(gap);
      clearTimeout(idle);
    },
  };
}

export function typingWords(names: string[]): string {
  if (names.length === 0) return '';
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return 'Several colleagues are typing…';
}
