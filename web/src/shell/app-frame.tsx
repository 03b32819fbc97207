import { Outlet, useMatches, useNavigate } from '@tanstack/react-router';
import { Suspense, useEffect, useRef, useState } from 'react';
import { lazyPart } from '@/lib/lazy-part';
import { useMedia } from '@/lib/media';
import { readStored, store } from '@/lib/storage';
import { AccountBanner } from './account-banner';
import { useLiveUpdates } from './live-updates';
import { pages } from './navigation';
import classes from './shell.module.css';
import { useShortcutListener, useShortcuts } from './shortcuts';
import { Sidebar } from './sidebar';
import { TopBar } from './top-bar';

const loadSearch = () => import('./search-palette');
const SearchPalette = lazyPart(async () => (await loadSearch()).default);
const NavDrawer = lazyPart(async () => (await import('./nav-drawer')).default);
const ShortcutHelp = lazyPart(async () => (await import('./shortcut-help')).default);

const RAIL = 'octopush:rail';

export function AppFrame() {
  const roomy = useMedia('(min-width: 80em)');
  const [preferred, setPreferred] = useState(() => readStored(RAIL) as boolean | undefined);
  const rail = preferred ?? !roomy;
  const [drawer, setDrawer] = useState(false);
  const [help, setHelp] = useState(false);
  const [searches, setSearches] = useState(0);
  const focused = useMatches({
    select: (matches) =>
      matches.some((match) => 'conversationId' in match.params && match.params.conversationId),
  });
  const fill = useMatches({ select: (matches) => matches.some((match) => match.staticData.fill) });
  const navigate = useNavigate();
  const openSearch = () => setSearches((n) => n + 1);

  useEffect(whenIdle, []);
  useLiveUpdates();
  useShortcutListener();
  useSearchKey(openSearch);
  useShortcuts('Everywhere', [
    { keys: '?', label: 'Show these shortcuts', run: () => setHelp(true) },
    ...pages.map(({ to, params, label, key }) => ({
      keys: `g ${key}`,
      label: `Go to ${label}`,
      run: () => void navigate({ to, params }),
    })),
  ]);

  return (
    <div className={classes.frame} data-focused={focused || undefined}>
      <a href="#main" className={classes.skip}>
        Skip to content
      </a>
      <div className={classes.side}>
        <Sidebar
          rail={rail}
          onToggle={() => {
            setPreferred(!rail);
            store(RAIL, !rail);
          }}
        />
      </div>
      <TopBar
        onMenu={() => setDrawer(true)}
        onSearch={openSearch}
        onSearchIntent={() => void loadSearch()}
        onHelp={() => setHelp(true)}
      />
      <AccountBanner />
      <main id="main" className={classes.main} data-fill={fill || undefined} tabIndex={-1}>
        <Outlet />
      </main>
      <Suspense fallback={null}>
        {searches > 0 && <SearchPalette opened={searches} />}
        {drawer && <NavDrawer onClose={() => setDrawer(false)} />}
        {help && <ShortcutHelp onClose={() => setHelp(false)} />}
      </Suspense>
    </div>
  );
}

/** Loaded before it is wanted, so that nothing typed right after Mod+K is lost. */
function whenIdle() {
  const load = () => void loadSearch().catch(() => undefined);
  if (!('requestIdleCallback' in window)) return load();
  const handle = requestIdleCallback(load);
  return () => cancelIdleCallback(handle);
}

/** Mod+K opens search from everywhere, also from within a text field. */
function useSearchKey(open: () => void) {
  const latest = useRef(open);
  useEffect(() => {
    latest.current = open;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (
        event.key.toLowerCase() !== 'k' ||
        !(event.metaKey || event.ctrlKey) ||
        event.shiftKey ||
        event.altKey
      )
        return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}
