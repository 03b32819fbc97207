import { ActionIcon, Menu } from '@mantine/core';
import { IconChartBar, IconCopy, IconDotsVertical, IconEdit, IconTrash } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type Campaign, canEdit } from './model';
import { useDuplicate } from './use-duplicate';

interface CampaignMenuProps {
  campaign: Campaign;
  onDelete: () => void;
  /** Also what the campaign's own page shows as buttons. */
  withLinks?: boolean;
  defaultOpened?: boolean;
}

/** What can be done with a campaign besides sending it; only for those who manage campaigns. */
export function CampaignMenu({ campaign, onDelete, withLinks, defaultOpened }: CampaignMenuProps) {
  const navigate = useNavigate();
  const duplicate = useDuplicate(campaign);
  const params = { campaignId: campaign.id };
  return (
    <Menu position="bottom-end" defaultOpened={defaultOpened}>
      <Menu.Target>
        <ActionIcon size={44} aria-label={`More for ${campaign.name || 'No name yet'}`}>
          <IconDotsVertical size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {withLinks && campaign.status !== 'draft' && (
          <Menu.Item
            leftSection={<IconChartBar size={18} />}
            onClick={() => void navigate({ to: '/campaigns/$campaignId', params })}
          >
            See how it went
          </Menu.Item>
        )}
        {withLinks && canEdit(campaign) && (
          <Menu.Item
            leftSection={<IconEdit size={18} />}
            onClick={() => void navigate({ to: '/campaigns/$campaignId/edit', params })}
          >
            Edit
          </Menu.Item>
        )}
        <Menu.Item
          leftSection={<IconCopy size={18} />}
          disabled={duplicate.isPending}
          onClick={() => duplicate.mutate()}
        >
          Duplicate
        </Menu.Item>
        {campaign.status === 'draft' && (
          <Menu.Item leftSection={<IconTrash size={18} />} c="var(--op-danger)" onClick={onDelete}>
            Delete
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
