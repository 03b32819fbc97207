import { IconMessages } from '@tabler/icons-react';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense, useCallback, useRef } from 'react';
import { Hint } from '@/components/problem';
import { lazyPart } from '@/lib/lazy-part';
import { useMedia } from '@/lib/media';
import { useShortcuts } from '@/shell/shortcuts';
import { Chat } from './chat';
import { ConversationList } from './conversation-list';
import classes from './inbox.module.css';
import { useLiveList } from './live-list';

const ContactPanel = lazyPart(async () => (await import('./contact-panel')).default);
const PanelDrawer = lazyPart(async () => (await import('./panel-drawer')).default);

const route = getRouteApi('/_app/conversations/{-$conversationId}');

export function InboxPage() {
  const { conversationId } = route.useParams();
  const { tab = 'all', q = '', panel } = route.useSearch();
  const navigate = useNavigate();
  const order = useRef<string[]>([]);
  const searchRef = useRef<HTMLInputElement>(null);
  const single = useMedia('(max-width: 47.99em)');
  const three = useMedia('(min-width: 90em)');
  useLiveList();

  const open = useCallback(
    (id: string | undefined) =>
      void navigate({
        to: '/conversations/{-$conversationId}',
        params: { conversationId: id },
        search: (old) => old as never,
      }),
    [navigate],
  );
  const setSearch = (change: Record<string, unknown>) =>
    void navigate({
      to: '/conversations/{-$conversationId}',
      params: (old) => old as never,
      search: (old) => ({ ...old, ...change }) as never,
      replace: true,
    });
  const keepOrder = useCallback((ids: string[]) => {
    order.current = ids;
  }, []);
  const step = (by: 1 | -1) => {
    const at = conversationId ? order.current.indexOf(conversationId) : -1;
    const next = order.current[at === -1 ? 0 : at + by];
    if (next) open(next);
  };
  useShortcuts('Inbox', [
    { keys: 'j', label: 'Next conversation', run: () => step(1) },
    { keys: 'k', label: 'Previous conversation', run: () => step(-1) },
    { keys: '/', label: 'Search conversations', run: () => searchRef.current?.focus() },
  ]);

  const panelOpen = Boolean(conversationId) && (panel ? panel === 'open' : three);
  const togglePanel = () =>
    setSearch({ panel: panelOpen ? (three ? 'closed' : undefined) : three ? undefined : 'open' });

  const showList = !single || !conversationId;
  return (
    <div className={classes.inbox} data-panel={(panelOpen && three) || undefined}>
      {showList && (
        <ConversationList
          tab={tab}
          q={q}
          selected={conversationId}
          searchRef={searchRef}
          onSearch={(text) => setSearch({ q: text || undefined })}
          onOrder={keepOrder}
        />
      )}
      {conversationId ? (
        <Chat
          key={conversationId}
          conversationId={conversationId}
          panelOpen={panelOpen}
          onTogglePanel={togglePanel}
          onClose={() => open(undefined)}
          onResolved={() => {
            const at = order.current.indexOf(conversationId);
            open(single || tab === 'resolved' ? undefined : (order.current[at + 1] ?? order.current[at - 1]));
          }}
        />
      ) : (
        !single && (
          <div className={classes.none}>
            <Hint icon={<IconMessages size={28} stroke={1.5} />} title="Choose a conversation">
              Pick one from the list, or press <kbd>j</kbd> to open the first.
            </Hint>
          </div>
        )
      )}
      {conversationId && three && panelOpen && (
        <aside className={classes.panel} aria-label="Contact details">
          <Suspense fallback={null}>
            <ContactPanel conversationId={conversationId} />
          </Suspense>
        </aside>
      )}
      {conversationId && !three && panelOpen && (
        <Suspense fallback={null}>
          <PanelDrawer conversationId={conversationId} onClose={togglePanel} />
        </Suspense>
      )}
    </div>
  );
}
