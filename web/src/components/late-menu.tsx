import { type ReactNode, Suspense, useState } from 'react';

interface LateMenuProps {
  /** Looks like the menu's own button until that is here. */
  button: (press: { onPointerDown: () => void; onClick: () => void }) => ReactNode;
  /** The menu, which is open from the start when its button was already pressed. */
  children: (isWanted: boolean) => ReactNode;
}

/** A menu that is loaded after the first paint. Who presses its button before then still gets it. */
export function LateMenu({ button, children }: LateMenuProps) {
  const [isWanted, setWanted] = useState(false);
  const want = () => setWanted(true);
  // The button may be replaced between the finger's coming down and going up, which is then no click.
  return <Suspense fallback={button({ onPointerDown: want, onClick: want })}>{children(isWanted)}</Suspense>;
}
