import { SegmentedControl, Skeleton, Stack, Text } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Problem } from '@/components/problem';
import { PhonePreview } from '@/features/templates/preview/phone-preview';
import { useOrg } from '@/features/tenancy/queries';
import { useDebounced } from '@/lib/debounce';
import type { Campaign } from '../model';
import { rehearsalQuery } from '../queries';
import { templatePreviewQuery } from '../templates';
import { problemWords } from '../words';
import { MessagePager } from './message-pager';
import type { CampaignDraft } from './use-campaign-draft';
import { previewValues } from './variables';
import classes from './wizard.module.css';

interface ContentPreviewProps {
  draft: CampaignDraft;
  campaign: Campaign;
  position: number;
}

/** The message with the values typed so far, or as real people of the audience would get it. */
export function ContentPreview({ draft, campaign, position }: ContentPreviewProps) {
  const [real, setReal] = useState(false);
  const variant = draft.values.variants[position - 1];
  if (!variant?.template_id)
    return (
      <div className={classes.panel}>
        <Text c="dimmed">Choose a template to see how it looks.</Text>
      </div>
    );
  return (
    <Stack gap="sm">
      <SegmentedControl
        aria-label="Whose values"
        className={classes.segmented}
        value={real ? 'real' : 'typed'}
        onChange={(value) => setReal(value === 'real')}
        data={[
          { value: 'typed', label: 'As filled in' },
          { value: 'real', label: 'Real contacts' },
        ]}
      />
      {real ? (
        <RealMessages draft={draft} campaign={campaign} position={position} />
      ) : (
        <TypedMessage templateId={variant.template_id} values={previewValues(variant.variables)} />
      )}
    </Stack>
  );
}

function TypedMessage({ templateId, values }: { templateId: string; values: Record<string, unknown> }) {
  const { orgId, organization } = useOrg();
  const text = useDebounced(JSON.stringify(values), 200);
  const preview = useQuery({
    ...templatePreviewQuery(orgId, templateId, JSON.parse(text) as Record<string, unknown>),
    placeholderData: keepPreviousData,
  });
  if (preview.isError && !preview.data)
    return <Problem error={preview.error} onRetry={() => void preview.refetch()} />;
  if (!preview.data) return <Skeleton height={320} radius="lg" role="status" aria-label="Loading" />;
  return <PhonePreview rendered={preview.data} sender={organization.name} />;
}

function RealMessages({ draft, campaign, position }: ContentPreviewProps) {
  const { orgId } = useOrg();
  const rehearsal = useQuery({
    ...rehearsalQuery(orgId, campaign.id, draft.version),
    enabled: draft.state === 'saved',
    placeholderData: keepPreviousData,
  });
  if (!draft.values.audience) return <Text c="dimmed">Choose an audience first.</Text>;
  if (rehearsal.isError && !rehearsal.data)
    return <Problem error={rehearsal.error} onRetry={() => void rehearsal.refetch()} />;
  if (!rehearsal.data) return <Skeleton height={320} radius="lg" role="status" aria-label="Loading" />;
  const mine = rehearsal.data.messages.filter(({ variant }) => variant === position);
  if (mine.length === 0) {
    const problem = rehearsal.data.problems[0];
    return (
      <Text c="dimmed" role="status">
        {problem ? problemWords(problem) : 'Nobody among the first of the audience gets this variant.'}
      </Text>
    );
  }
  return <MessagePager messages={mine} />;
}
