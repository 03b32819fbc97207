import { ActionIcon, Menu } from '@mantine/core';
import {
  IconCopy,
  IconDotsVertical,
  IconEdit,
  IconEye,
  IconFileExport,
  IconList,
  IconTrash,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useOrg } from '@/features/tenancy/queries';
import { useExportMembers } from './export-members';
import type { Segment } from './model';

interface SegmentActionsProps {
  segment: Segment;
  onDelete: () => void;
  /** Also what the segment's own page shows as buttons. */
  withLinks?: boolean;
  defaultOpened?: boolean;
}

/** What can be done with a segment; a viewer or agent sees only what they may. */
export function SegmentActions({ segment, onDelete, withLinks, defaultOpened }: SegmentActionsProps) {
  const org = useOrg();
  const navigate = useNavigate();
  const exporting = useExportMembers(org.orgId);
  const mayManage = org.can('campaigns.manage');
  const params = { segmentId: segment.id };
  const isStatic = segment.kind === 'static';
  if (!withLinks && !mayManage && !org.can('contacts.bulk')) return null;
  return (
    <Menu position="bottom-end" defaultOpened={defaultOpened}>
      <Menu.Target>
        <ActionIcon size={44} aria-label={`More for ${segment.name}`}>
          <IconDotsVertical size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {withLinks && (
          <Menu.Item
            leftSection={<IconEye size={18} />}
            onClick={() => void navigate({ to: '/segments/$segmentId', params })}
          >
            View
          </Menu.Item>
        )}
        {withLinks && mayManage && (
          <Menu.Item
            leftSection={<IconEdit size={18} />}
            onClick={() => void navigate({ to: '/segments/$segmentId/edit', params })}
          >
            Edit
          </Menu.Item>
        )}
        {mayManage && (
          <Menu.Item
            leftSection={<IconCopy size={18} />}
            onClick={() =>
              void navigate({
                to: '/segments/new',
                search: { from: segment.id, kind: isStatic ? 'static' : undefined },
              })
            }
          >
            Duplicate
          </Menu.Item>
        )}
        {mayManage && !isStatic && (
          <Menu.Item
            leftSection={<IconList size={18} />}
            onClick={() =>
              void navigate({ to: '/segments/new', search: { from: segment.id, kind: 'static' } })
            }
          >
            Freeze as a static list
          </Menu.Item>
        )}
        {org.can('contacts.bulk') && (
          <Menu.Item leftSection={<IconFileExport size={18} />} onClick={() => exporting.mutate(segment.id)}>
            Export members
          </Menu.Item>
        )}
        {mayManage && (
          <Menu.Item leftSection={<IconTrash size={18} />} c="var(--op-danger)" onClick={onDelete}>
            Delete
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
