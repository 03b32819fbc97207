import {
  ActionIcon,
  Button,
  ColorInput,
  ColorSwatch,
  Group,
  Modal,
  Skeleton,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import { IconEdit, IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { LoadProblem, Problem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useOrg } from '@/features/tenancy/queries';
import settings from '@/features/tenancy/settings.module.css';
import { wordsFor } from '@/lib/errors';
import { plural } from '@/lib/time';
import { call } from './api';
import type { Tag } from './model';
import { tagsQuery, tagUsageQuery } from './queries';

/** PRD §5.5. */
const MOST = 50;
const COLOURS = [
  '#868e96',
  '#e03131',
  '#e8590c',
  '#f08c00',
  '#2f9e44',
  '#099268',
  '#0c8599',
  '#1971c2',
  '#3b5bdb',
  '#6741d9',
  '#9c36b5',
  '#c2255c',
];

export function TagsSettings() {
  const org = useOrg();
  const queryClient = useQueryClient();
  const tags = useQuery(tagsQuery(org.orgId));
  const usage = useQuery(tagUsageQuery(org.orgId));
  const [editing, setEditing] = useState<Tag | 'new'>();
  const manage = org.can('tags.manage');
  const refresh = () =>
    Promise.all(
      ['tags', 'tag-usage', 'contacts', 'contact'].map((what) =>
        queryClient.invalidateQueries({ queryKey: ['org', org.orgId, what] }),
      ),
    );
  const remove = useMutation({
    mutationFn: (tag: Tag) => call('delete_tag', { p_id: tag.id }),
    onSuccess: (_, tag) => {
      notifications.show({ color: 'green', message: `The tag “${tag.name}” is deleted.` });
      return refresh();
    },
    onError: (error) => notifications.show({ color: 'red', message: wordsFor(error) }),
  });
  if (tags.isError && !tags.data)
    return <LoadProblem error={tags.error} what="the tags" onRetry={() => void tags.refetch()} />;
  if (!tags.data) return <Skeleton height={240} radius="md" role="status" aria-label="Loading" />;
  const used = (tag: Tag) => usage.data?.get(tag.id) ?? 0;
  const askToRemove = (tag: Tag) =>
    modals.openConfirmModal({
      title: `Delete the tag “${tag.name}”?`,
      children:
        used(tag) > 0
          ? `It comes off ${plural(used(tag), 'contact')}. The contacts stay. Segments that look for it no longer find anybody.`
          : 'No contact carries it.',
      labels: { confirm: 'Delete tag', cancel: 'Cancel' },
      confirmProps: { color: 'red' },
      onConfirm: () => remove.mutate(tag),
    });
  return (
    <Stack>
      <Group justify="space-between">
        <Text c="dimmed" role="status">
          {tags.data.length} of {MOST} tags
        </Text>
        {manage && (
          <Button
            leftSection={<IconPlus size={18} />}
            disabled={tags.data.length >= MOST}
            onClick={() => setEditing('new')}
          >
            Add tag
          </Button>
        )}
      </Group>
      {tags.data.length === 0 && (
        <Text c="dimmed">
          Tags group contacts: VIP, Trial, Kuala Lumpur. Add your first one, or make them while you work.
        </Text>
      )}
      <ul className={settings.members} aria-label="Tags">
        {tags.data.map((tag) => (
          <li key={tag.id} className={settings.member}>
            <ColorSwatch color={tag.color} size={20} withShadow={false} aria-hidden />
            <div className={settings.memberName}>
              <Text fw={600} truncate title={tag.name} dir="auto">
                {tag.name}
              </Text>
              <TextLink to="/contacts" search={{ tags: [tag.id] }} size="sm">
                {usage.data ? plural(used(tag), 'contact') : 'Contacts'}
              </TextLink>
            </div>
            {manage && (
              <Group gap={4} wrap="nowrap">
                <ActionIcon aria-label={`Edit tag ${tag.name}`} onClick={() => setEditing(tag)}>
                  <IconEdit size={18} />
                </ActionIcon>
                <ActionIcon aria-label={`Delete tag ${tag.name}`} onClick={() => askToRemove(tag)}>
                  <IconTrash size={18} />
                </ActionIcon>
              </Group>
            )}
          </li>
        ))}
      </ul>
      {editing && (
        <TagDialog
          tag={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
          onSaved={() => {
            setEditing(undefined);
            void refresh();
          }}
        />
      )}
    </Stack>
  );
}

interface TagDialogProps {
  tag?: Tag;
  onClose: () => void;
  onSaved: () => void;
}

function TagDialog({ tag, onClose, onSaved }: TagDialogProps) {
  const { orgId } = useOrg();
  const [name, setName] = useState(tag?.name ?? '');
  const [color, setColor] = useState(tag?.color ?? '#868e96');
  const save = useMutation({
    mutationFn: () =>
      tag
        ? call('update_tag', { p_id: tag.id, p_name: name.trim(), p_color: color })
        : call('create_tag', { p_org_id: orgId, p_name: name.trim(), p_color: color }),
    onSuccess: onSaved,
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={tag ? 'Edit tag' : 'Add tag'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack>
          <TextInput
            label="Name"
            value={name}
            maxLength={50}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
          <ColorInput
            label="Colour"
            value={color}
            onChange={setColor}
            format="hex"
            swatches={COLOURS}
            swatchesPerRow={6}
            withEyeDropper={false}
            popoverProps={{ withinPortal: true }}
          />
          <Problem error={save.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              loading={save.isPending}
              disabled={!name.trim() || !/^#[0-9a-f]{6}$/i.test(color)}
            >
              {tag ? 'Save' : 'Add tag'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
