import { VisuallyHidden } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { contentLine } from './content';
import type { Message } from './model';

/** Reads out what the customer writes while the conversation is open, without moving the focus. */
export function ChatAnnouncer({ messages, contactName }: { messages: Message[]; contactName: string }) {
  const newest = messages.findLast((message) => message.direction === 'inbound');
  const known = useRef(newest?.id);
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (!newest || newest.id === known.current) return;
    const first = known.current === undefined;
    known.current = newest.id;
    if (!first) setSaid(`${contactName}: ${contentLine(newest)}`);
  }, [newest, contactName]);
  return (
    <VisuallyHidden>
      <div aria-live="polite" role="log">
        {said}
      </div>
    </VisuallyHidden>
  );
}
