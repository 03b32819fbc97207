import { useEffect, useRef, useSyncExternalStore } from 'react';

export interface Shortcut {
  /** One key, or a sequence such as `g d`. Compared with `KeyboardEvent.key`, so `?` is `?` on every layout. */
  keys: string;
  label: string;
  run: () => void;
}

interface Group {
  name: string;
  shortcuts: Shortcut[];
}

const groups = new Map<symbol, Group>();
const watchers = new Set<() => void>();
let listed: Group[] = [];

function changed() {
  listed = [...groups.values()];
  for (const watcher of watchers) watcher();
}

/** Registers the keys of a page for as long as it is shown; `?` lists them. */
export function useShortcuts(name: string, shortcuts: Shortcut[]): void {
  const id = useRef(Symbol(name));
  const signature = shortcuts.map((shortcut) => `${shortcut.keys}\t${shortcut.label}`).join('\n');
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    const key = id.current;
    const stable = signature
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [keys = '', label = ''] = line.split('\t');
        return { keys, label, run: () => latest.current.find((each) => each.keys === keys)?.run() };
      });
    groups.set(key, { name, shortcuts: stable });
    changed();
    return () => {
      groups.delete(key);
      changed();
    };
  }, [name, signature]);
}

export function useShortcutGroups(): Group[] {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => listed,
  );
}

const SEQUENCE_MS = 1_000;

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
  !target.closest('[data-shortcuts="on"]');

/** Dialogs and open menus keep their own keys. */
const isModal = () => document.querySelector('[aria-modal="true"], [role="menu"], [role="listbox"]') !== null;

/** The one listener behind all shortcuts; mounted once by the shell. */
export function useShortcutListener(): void {
  useEffect(() => {
    let prefix = '';
    let prefixAt = 0;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target) || isModal()) return;
      const now = Date.now();
      const typed = prefix && now - prefixAt < SEQUENCE_MS ? `${prefix} ${event.key}` : event.key;
      prefix = '';
      const all = [...groups.values()].flatMap((group) => group.shortcuts);
      const hit = all.findLast((shortcut) => shortcut.keys === typed);
      if (hit) {
        event.preventDefault();
        hit.run();
      } else if (all.some((shortcut) => shortcut.keys.startsWith(`${event.key} `))) {
        prefix = event.key;
        prefixAt = now;
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}
