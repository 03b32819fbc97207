import { useEffect, useMemo, useRef, useState } from 'react';
import { holdOrder } from './list-order';
import type { Conversation } from './model';

/**
 * Rows must not jump under a pointer or a reading eye: while the pointer is over the list or it is scrolled down, the
 * order stands still and what waits is counted. Otherwise it follows the database. `frame` is `box`, which scrolls, with what
 * lies over it: on its way to the count of what waits the pointer must not leave the list.
 */
export function useHeldOrder(rows: Conversation[], frame: HTMLElement | null, box: HTMLElement | null) {
  const shown = useRef<string[]>([]);
  const [reading, setReading] = useState(false);
  const [, setReleases] = useState(0);

  useEffect(() => {
    if (!frame || !box) return;
    let over = false;
    const update = () => setReading(over || box.scrollTop > 20);
    const enter = (event: PointerEvent) => {
      // A touch has no resting pointer: only scrolling counts there.
      over = event.pointerType === 'mouse';
      update();
    };
    const leave = () => {
      over = false;
      update();
    };
    frame.addEventListener('pointerenter', enter);
    frame.addEventListener('pointerleave', leave);
    box.addEventListener('scroll', update, { passive: true });
    return () => {
      frame.removeEventListener('pointerenter', enter);
      frame.removeEventListener('pointerleave', leave);
      box.removeEventListener('scroll', update);
    };
  }, [frame, box]);

  const held = reading && shown.current.length > 0 ? holdOrder(shown.current, rows) : { rows, waiting: 0 };
  // The same order keeps the same array, so that the rows below are not drawn anew.
  const signature = held.rows.map((row) => row.id).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `rows` carries the content, `signature` the order
  const stable = useMemo(() => held.rows, [rows, signature]);
  useEffect(() => {
    shown.current = signature ? signature.split(',') : [];
  }, [signature]);

  return {
    rows: stable,
    waiting: held.waiting,
    release: () => {
      shown.current = [];
      setReleases((n) => n + 1);
    },
  };
}
