import type { Session, User } from '@supabase/supabase-js';
import { useSyncExternalStore } from 'react';
import { leaveAllTopics } from '@/lib/realtime';
import { backend } from '@/lib/supabase';

export interface AuthState {
  session: Session | null;
  /** Why the last session ended: by the person's wish or because it ran out. */
  ended?: 'signed-out' | 'expired';
}

/** What the address held before supabase-js consumed it: a failed link says why only there. */
export const arrivalHash = new URLSearchParams(window.location.hash.replace(/^#/, ''));

let state: AuthState = { session: null };
let leaving = false;
let lastUser: User | undefined;
const watchers = new Set<() => void>();

function set(next: AuthState) {
  state = next;
  lastUser = next.session?.user ?? lastUser;
  for (const watcher of watchers) watcher();
}

export async function startAuth(): Promise<void> {
  const { data } = await backend().auth.getSession();
  set({ session: data.session });
  backend().auth.onAuthStateChange((event, session) => {
    if (event === 'INITIAL_SESSION') return;
    if (event === 'SIGNED_OUT') {
      leaveAllTopics();
      set({ session: null, ended: leaving ? 'signed-out' : 'expired' });
      return;
    }
    // Signed in again as the same person is announced each time a tab comes to the front.
    if (session?.access_token !== state.session?.access_token) set({ session });
  });
}

export async function signOut(): Promise<void> {
  leaving = true;
  // Offline, the session cannot be ended on the server; it must end on this device all the same.
  const { error } = await backend().auth.signOut();
  if (error) await backend().auth.signOut({ scope: 'local' });
  leaving = false;
}

export const authState = (): AuthState => state;

export function onAuthChange(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function useAuth(): AuthState {
  return useSyncExternalStore(onAuthChange, authState);
}

/**
 * The person signed in. Only for pages behind the sign-in guard; while such a page is being left because the session
 * ended, it still shows who was signed in.
 */
export function useUser(): User {
  const { session } = useAuth();
  const user = session?.user ?? lastUser;
  if (!user) throw new Error('this page needs a signed-in person');
  return user;
}
