import { ActionIcon, Checkbox, Menu, Tooltip } from '@mantine/core';
import {
  IconColumns3,
  IconDots,
  IconFileExport,
  IconFileImport,
  IconHistory,
  IconTags,
  IconTrash,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useOrg } from '@/features/tenancy/queries';
import { columnNames, columns, type ListView } from './list-view';
import { contactsWords } from './selection';

interface ViewMenuProps {
  view: ListView;
  onView: (view: ListView) => void;
  defaultOpened: boolean;
}

export function ViewMenu({ view, onView, defaultOpened }: ViewMenuProps) {
  return (
    <Menu position="bottom-end" defaultOpened={defaultOpened} closeOnItemClick={false}>
      <Menu.Target>
        <Tooltip label="Columns and rows">
          <ActionIcon variant="default" aria-label="Columns and rows">
            <IconColumns3 size={18} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Columns</Menu.Label>
        {columns.map((column) => {
          const on = view.shown.includes(column);
          return (
            <Menu.Item
              key={column}
              role="menuitemcheckbox"
              aria-checked={on}
              leftSection={<Checkbox.Indicator checked={on} size="xs" aria-hidden />}
              onClick={() =>
                onView({
                  ...view,
                  shown: columns.filter((each) => (each === column ? !on : view.shown.includes(each))),
                })
              }
            >
              {columnNames[column]}
            </Menu.Item>
          );
        })}
        <Menu.Divider />
        <Menu.Item
          role="menuitemcheckbox"
          aria-checked={view.compact}
          leftSection={<Checkbox.Indicator checked={view.compact} size="xs" aria-hidden />}
          onClick={() => onView({ ...view, compact: !view.compact })}
        >
          Compact rows
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

interface MoreMenuProps {
  trash: boolean;
  total: number | undefined;
  isMinimum: boolean;
  exporting: boolean;
  defaultOpened: boolean;
  onExport: () => void;
  onImport: () => void;
}

export function MoreMenu({
  trash,
  total,
  isMinimum,
  exporting,
  defaultOpened,
  onExport,
  onImport,
}: MoreMenuProps) {
  const org = useOrg();
  const navigate = useNavigate();
  const mayBulk = org.can('contacts.bulk');
  return (
    <Menu position="bottom-end" defaultOpened={defaultOpened}>
      <Menu.Target>
        <ActionIcon variant="default" aria-label="More">
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {mayBulk && (
          <>
            <Menu.Item leftSection={<IconFileImport size={18} />} onClick={onImport}>
              Import a file
            </Menu.Item>
            {!trash && (
              <Menu.Item
                leftSection={<IconFileExport size={18} />}
                disabled={!total || exporting}
                onClick={onExport}
              >
                {total === undefined ? 'Export' : `Export ${contactsWords(total, isMinimum)}`}
              </Menu.Item>
            )}
            <Menu.Item
              leftSection={<IconHistory size={18} />}
              onClick={() => void navigate({ to: '/contacts/jobs' })}
            >
              Imports and exports
            </Menu.Item>
          </>
        )}
        {org.can('tags.manage') && (
          <Menu.Item
            leftSection={<IconTags size={18} />}
            onClick={() => void navigate({ to: '/settings/$section', params: { section: 'tags' } })}
          >
            Manage tags
          </Menu.Item>
        )}
        {org.can('contacts.trash') && !trash && (
          <Menu.Item
            leftSection={<IconTrash size={18} />}
            onClick={() => void navigate({ to: '/contacts', search: { trash: true } })}
          >
            Trash
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
