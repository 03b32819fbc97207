import { ActionIcon, Menu } from '@mantine/core';
import {
  IconCopy,
  IconDotsVertical,
  IconEdit,
  IconEye,
  IconSend,
  IconSpeakerphone,
  IconTrash,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useOrg } from '@/features/tenancy/queries';
import { editsAtMeta, mayDelete, mayEdit, maySendToMany, maySubmit, type Template } from './model';

interface TemplateActionsProps {
  template: Template;
  onDuplicate: () => void;
  onDelete: () => void;
  /** Also what the template's own page shows as buttons. */
  withLinks?: boolean;
  defaultOpened?: boolean;
}

/** What can be done with a template in its state, by somebody of this role. */
export function TemplateActions({
  template,
  onDuplicate,
  onDelete,
  withLinks,
  defaultOpened,
}: TemplateActionsProps) {
  const org = useOrg();
  const navigate = useNavigate();
  const mayManage = org.can('campaigns.manage');
  const params = { templateId: template.id };
  const edit = (step?: 'review') =>
    void navigate({ to: '/templates/$templateId/edit', params, search: { step } });
  return (
    <Menu position="bottom-end" defaultOpened={defaultOpened}>
      <Menu.Target>
        <ActionIcon size={44} aria-label={`More for ${template.name}`}>
          <IconDotsVertical size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {withLinks && (
          <Menu.Item
            leftSection={<IconEye size={18} />}
            onClick={() => void navigate({ to: '/templates/$templateId', params })}
          >
            View
          </Menu.Item>
        )}
        {withLinks && mayManage && maySendToMany(template) && (
          <Menu.Item
            leftSection={<IconSpeakerphone size={18} />}
            onClick={() => void navigate({ to: '/campaigns/new', search: { template: template.id } })}
          >
            Use in campaign
          </Menu.Item>
        )}
        {withLinks && mayManage && mayEdit(template) && (
          <Menu.Item leftSection={<IconEdit size={18} />} onClick={() => edit()}>
            {editsAtMeta(template) ? 'Change' : 'Edit'}
          </Menu.Item>
        )}
        {withLinks && mayManage && maySubmit(template) && (
          <Menu.Item leftSection={<IconSend size={18} />} onClick={() => edit('review')}>
            {template.status === 'rejected' ? 'Submit again' : 'Submit to Meta'}
          </Menu.Item>
        )}
        {mayManage && (
          <Menu.Item leftSection={<IconCopy size={18} />} onClick={onDuplicate}>
            Duplicate
          </Menu.Item>
        )}
        {mayManage && mayDelete(template) && (
          <Menu.Item leftSection={<IconTrash size={18} />} c="var(--op-danger)" onClick={onDelete}>
            Delete
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
