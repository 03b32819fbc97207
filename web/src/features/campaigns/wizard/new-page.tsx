import { Button, Group, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { Problem } from '@/components/problem';
import { useUser } from '@/features/auth/session';
import { useOrg } from '@/features/tenancy/queries';
import { readStored, store } from '@/lib/storage';
import { draftPrefix } from '../local';
import { campaignKey, createCampaign } from '../queries';
import { emptyVariant } from './draft';
import { NameFields } from './name-fields';
import { NotAllowed } from './placeholders';
import { StepList } from './step-list';
import classes from './wizard.module.css';

const route = getRouteApi('/_app/campaigns/new');

interface Words {
  name: string;
  description: string | null;
}

/** The first step before there is a campaign: it comes to be with its name, so that nobody leaves nameless drafts behind. */
export function NewCampaignPage() {
  const { segment, template } = route.useSearch();
  const org = useOrg();
  const user = useUser();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const key = `${draftPrefix(user.id)}new`;
  const [words, setWords] = useState<Words>(() => {
    const kept = readStored(key) as Partial<Words> | undefined;
    return { name: kept?.name ?? '', description: kept?.description ?? null };
  });
  const [asked, setAsked] = useState(false);
  const nameField = useRef<HTMLInputElement>(null);
  const made = useRef(false);
  useEffect(() => {
    if (!made.current) store(key, words.name || words.description ? words : undefined);
  }, [key, words]);
  // The one thing this page asks for.
  useEffect(() => nameField.current?.focus(), []);
  const create = useMutation({
    mutationFn: () =>
      createCampaign(org.orgId, {
        name: words.name.trim(),
        description: words.description?.trim() || null,
        time_zone: org.organization.time_zone,
        ...(segment && { audience: { segment_id: segment } }),
        ...(template && { variants: [{ ...emptyVariant, template_id: template }] }),
      }),
    onSuccess: (campaign) => {
      made.current = true;
      store(key, undefined);
      void queryClient.invalidateQueries({ queryKey: campaignKey(org.orgId, 'list') });
      void navigate({
        to: '/campaigns/$campaignId/edit',
        params: { campaignId: campaign.id },
        search: { step: 'audience' },
        replace: true,
      });
    },
  });
  if (!org.can('campaigns.manage')) return <NotAllowed />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (words.name.trim()) create.mutate();
    else nameField.current?.focus();
  };
  return (
    <div className={classes.page}>
      <form onSubmit={submit} noValidate>
        <StepList current="setup" />
        <div className={classes.narrow}>
          <NameFields
            ref={nameField}
            values={words}
            onChange={(change) => setWords((old) => ({ ...old, ...change }))}
            asked={asked}
          />
          {template && (
            <Text size="sm" c="dimmed">
              The template you came from is already chosen; you see it under Content.
            </Text>
          )}
          <Problem error={create.error} />
        </div>
        <div className={classes.foot}>
          <Text size="sm" c="dimmed" className={classes.footNote}>
            Saved as a draft from the next step on
          </Text>
          <Group gap="sm">
            <Button variant="default" size="md" onClick={() => void navigate({ to: '/campaigns' })}>
              Cancel
            </Button>
            <Button type="submit" size="md" loading={create.isPending}>
              Continue
            </Button>
          </Group>
        </div>
      </form>
    </div>
  );
}
