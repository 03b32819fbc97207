import { CloseButton, Group, Skeleton, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Suspense } from 'react';
import { useOrg } from '@/features/tenancy/queries';
import { wordsFor } from '@/lib/errors';
import { lazyPart } from '@/lib/lazy-part';
import { answer, backend } from '@/lib/supabase';
import classes from './contact-page.module.css';
import type { Contact, Tag } from './model';
import { contactKey, tagsQuery } from './queries';
import { TagChip } from './tag-chips';

const AddTag = lazyPart(async () => (await import('./add-tag')).AddTag);

export function TagsCard({ contact, editable }: { contact: Contact; editable: boolean }) {
  const org = useOrg();
  const queryClient = useQueryClient();
  const tags = useQuery(tagsQuery(org.orgId));
  const key = contactKey(org.orgId, contact.id);
  const set = (next: Tag[]) =>
    queryClient.setQueryData<Contact>(key, (old) => (old ? { ...old, tags: next } : old));

  const save = useMutation({
    scope: { id: `contact ${contact.id}` },
    mutationFn: (next: Tag[]) =>
      answer(backend().rpc('set_contact_tags', { p_id: contact.id, p_tag_ids: next.map((tag) => tag.id) })),
    onMutate: async (next) => {
      await queryClient.cancelQueries({ queryKey: key, exact: true });
      const before = queryClient.getQueryData<Contact>(key)?.tags ?? contact.tags;
      set(next);
      return { before };
    },
    onError: (error, _, context) => {
      if (context) set(context.before);
      notifications.show({ color: 'red', title: 'The tags were not saved', message: wordsFor(error) });
    },
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: key });
      void queryClient.invalidateQueries({ queryKey: ['org', org.orgId, 'contacts'] });
    },
  });
  const create = useMutation({
    mutationFn: (name: string) => answer(backend().rpc('create_tag', { p_org_id: org.orgId, p_name: name })),
    onSuccess: (tag) => {
      void queryClient.invalidateQueries({ queryKey: tagsQuery(org.orgId).queryKey });
      save.mutate([...contact.tags, { id: tag.id, name: tag.name, color: tag.color }]);
    },
    onError: (error) => notifications.show({ color: 'red', message: wordsFor(error) }),
  });
  const carried = new Set(contact.tags.map((tag) => tag.id));
  return (
    <section className={classes.card} aria-labelledby="tags-title">
      <Title order={3} id="tags-title" fz="md" mb="xs">
        Tags
      </Title>
      <Group gap={6}>
        {contact.tags.map((tag) => (
          <Group key={tag.id} gap={0} wrap="nowrap">
            <TagChip tag={tag} />
            {editable && (
              <CloseButton
                size="sm"
                iconSize={14}
                aria-label={`Remove tag ${tag.name}`}
                onClick={() => save.mutate(contact.tags.filter((each) => each.id !== tag.id))}
              />
            )}
          </Group>
        ))}
        {editable && (
          <Suspense fallback={<Skeleton height={26} width={86} />}>
            <AddTag
              offered={(tags.data ?? []).filter((tag) => !carried.has(tag.id))}
              all={tags.data ?? []}
              mayCreate={org.can('tags.manage')}
              onAdd={(tag) => save.mutate([...contact.tags, tag])}
              onCreate={(name) => create.mutate(name)}
            />
          </Suspense>
        )}
      </Group>
    </section>
  );
}
