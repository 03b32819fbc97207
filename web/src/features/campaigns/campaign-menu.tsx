import { ActionIcon, Menu } from '@mantine/core';
import { IconChartBar, IconCopy, IconDotsVertical, IconEdit, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { tellProblem } from '@/lib/tell';
import { type Campaign, canEdit } from './model';
import { campaignKey, duplicateCampaign } from './queries';

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
  const queryClient = useQueryClient();
  const params = { campaignId: campaign.id };
  const duplicate = useMutation({
    mutationFn: () => duplicateCampaign(campaign.id),
    onSuccess: (copy) => {
      void queryClient.invalidateQueries({ queryKey: campaignKey(campaign.org_id, 'list') });
      void navigate({ to: '/campaigns/$campaignId/edit', params: { campaignId: copy.id } });
    },
    onError: tellProblem,
  });
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
