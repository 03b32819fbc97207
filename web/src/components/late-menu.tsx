import { type ReactNode, Suspense, useState } from 'react';

interface LateMenuProps {
  /** Looks like the menu's own button until that is here. */
  button: (press: { onClick: () => void }) => ReactNode;
  /** The menu, which is open from the start when its button was already pressed. */
  children: (isWanted: boolean) => ReactNode;
}

/** A menu that is loaded after the first paint. Who presses its button before then still gets it. */
export function LateMenu({ button, children }: LateMenuProps) {
  const [isWanted, setWanted] = useState(false);
  // A whole click only: one that began here and ends on the menu's own button opens it there, and must not close it again.
  return <Suspense fallback={button({ onClick: () => setWanted(true) })}>{children(isWanted)}</Suspense>;
}
