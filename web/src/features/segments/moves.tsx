import { Kbd, Menu } from '@mantine/core';
import {
  IconArrowBarLeft,
  IconArrowBarRight,
  IconArrowDown,
  IconArrowUp,
  IconCopy,
  IconFolderMinus,
  IconFolderPlus,
} from '@tabler/icons-react';
import type { KeyboardEvent } from 'react';
import { useBuilder } from './builder-context';
import type { Action } from './edits';

/** Where a rule or group stands among its neighbours: what it can do from there. */
export interface NodePlace {
  isFirst: boolean;
  isLast: boolean;
  /** A group right above or below, to move into. */
  hasNeighbourGroup: boolean;
  /** Within another group than the top one, to move out of. */
  isNested: boolean;
}

const keys: Record<string, Action> = {
  ArrowUp: 'move-up',
  ArrowDown: 'move-down',
  ArrowRight: 'move-in',
  ArrowLeft: 'move-out',
};

/** Alt+Shift+arrows: free in text fields of every system, unlike Alt+arrows. */
export function onMoveKey(event: KeyboardEvent, id: string, act: (action: Action, id: string) => void): void {
  if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey) return;
  const action = keys[event.key];
  if (!action) return;
  // The innermost rule or group around the focus is what moves.
  const nearest = (event.target as HTMLElement).closest('[data-node]');
  if (nearest?.getAttribute('data-node') !== id) return;
  event.preventDefault();
  event.stopPropagation();
  act(action, id);
}

export function MoveItems({ id, place, isGroup }: { id: string; place: NodePlace; isGroup?: boolean }) {
  const { act } = useBuilder();
  return (
    <>
      <Menu.Item
        leftSection={<IconArrowUp size={16} />}
        rightSection={<Keys arrow="↑" />}
        disabled={place.isFirst}
        onClick={() => act('move-up', id)}
      >
        Move up
      </Menu.Item>
      <Menu.Item
        leftSection={<IconArrowDown size={16} />}
        rightSection={<Keys arrow="↓" />}
        disabled={place.isLast}
        onClick={() => act('move-down', id)}
      >
        Move down
      </Menu.Item>
      <Menu.Item
        leftSection={<IconArrowBarRight size={16} />}
        rightSection={<Keys arrow="→" />}
        disabled={!place.hasNeighbourGroup}
        onClick={() => act('move-in', id)}
      >
        Move into the group beside it
      </Menu.Item>
      <Menu.Item
        leftSection={<IconArrowBarLeft size={16} />}
        rightSection={<Keys arrow="←" />}
        disabled={!place.isNested}
        onClick={() => act('move-out', id)}
      >
        Move out of its group
      </Menu.Item>
      <Menu.Divider />
      <Menu.Item leftSection={<IconFolderPlus size={16} />} onClick={() => act('wrap', id)}>
        Put into a new group
      </Menu.Item>
      {isGroup && (
        <Menu.Item leftSection={<IconFolderMinus size={16} />} onClick={() => act('unwrap', id)}>
          Dissolve, keep its rules
        </Menu.Item>
      )}
      <Menu.Item leftSection={<IconCopy size={16} />} onClick={() => act('duplicate', id)}>
        Duplicate
      </Menu.Item>
    </>
  );
}

const Keys = ({ arrow }: { arrow: string }) => (
  <Kbd size="xs" aria-hidden visibleFrom="sm">
    Alt ⇧ {arrow}
  </Kbd>
);
