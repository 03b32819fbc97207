import { ActionIcon, Menu } from '@mantine/core';
import {
  IconBellZ,
  IconCheck,
  IconDotsVertical,
  IconInfoCircle,
  IconMailOpened,
  IconRotateClockwise2,
} from '@tabler/icons-react';
import { useState } from 'react';
import type { HeaderActions } from './chat-header';
import { snoozeChoices } from './snooze';

interface MoreMenuProps {
  narrow: boolean;
  mayAnswer: boolean;
  resolved: boolean;
  actions: HeaderActions;
  defaultOpened: boolean;
}

/** What is done less often with a conversation; on small screens also what has no room beside its name. */
export function MoreMenu({ narrow, mayAnswer, resolved, actions, defaultOpened }: MoreMenuProps) {
  const [snoozing, setSnoozing] = useState(false);
  const choices = snoozing ? snoozeChoices(new Date()) : [];
  return (
    <Menu position="bottom-end" width={230} defaultOpened={defaultOpened} onClose={() => setSnoozing(false)}>
      <Menu.Target>
        <ActionIcon size={44} aria-label="More actions">
          <IconDotsVertical size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {snoozing ? (
          <>
            <Menu.Label>Snooze until</Menu.Label>
            {choices.map(({ label, until }) => (
              <Menu.Item key={label} onClick={() => actions.snooze(until)}>
                {label}
              </Menu.Item>
            ))}
          </>
        ) : (
          <>
            {narrow && (
              <Menu.Item leftSection={<IconInfoCircle size={18} />} onClick={actions.togglePanel}>
                Contact details
              </Menu.Item>
            )}
            {mayAnswer && (
              <>
                {narrow && (
                  <Menu.Item
                    leftSection={resolved ? <IconRotateClockwise2 size={18} /> : <IconCheck size={18} />}
                    onClick={resolved ? actions.reopen : actions.resolve}
                  >
                    {resolved ? 'Reopen' : 'Resolve'}
                  </Menu.Item>
                )}
                <Menu.Item
                  leftSection={<IconBellZ size={18} />}
                  closeMenuOnClick={false}
                  onClick={() => setSnoozing(true)}
                >
                  Snooze…
                </Menu.Item>
                <Menu.Item leftSection={<IconMailOpened size={18} />} onClick={actions.markUnread}>
                  Mark as unread
                </Menu.Item>
              </>
            )}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
