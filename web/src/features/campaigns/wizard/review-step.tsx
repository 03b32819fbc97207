import { Alert, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconCalendarTime, IconSend, IconUsers } from '@tabler/icons-react';
import { useIsMutating, useQuery } from '@tanstack/react-query';
import { type ReactNode, Suspense, useState } from 'react';
import { Problem } from '@/components/problem';
import { segmentsQuery } from '@/features/segments/queries';
import { useOrg } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { exactTime, plural } from '@/lib/time';
import { type Campaign, type CampaignProblem, isSegmentAudience, type Rehearsal } from '../model';
import { audienceQuery, rehearsalQuery, sendingKey } from '../queries';
import { templateQuery, trackedButtons } from '../templates';
import { audienceWords, conflictWords, costWords, excludedTotal, problemWords, variantName } from '../words';
import { fullWords, placedWords, zonedWords } from '../zoned';
import { TierLine } from './audience-size';
import { type DraftValues, type DraftVariant, halfTypedStep, missingIn, type Step } from './draft';
import { MessagePager } from './message-pager';
import review from './review.module.css';
import type { StepProps } from './setup-step';
import type { CampaignDraft } from './use-campaign-draft';
import classes from './wizard.module.css';

const SendDialog = lazyPart(async () => (await import('./send-dialog')).SendDialog);
const ExclusionsDrawer = lazyPart(async () => (await import('./exclusions-drawer')).ExclusionsDrawer);

/** What exactly would happen, by the launch's own code, and the button that lets it. */
export function ReviewStep({ draft, campaign, go, reload }: StepProps) {
  const { orgId } = useOrg();
  const rehearsal = useQuery({
    ...rehearsalQuery(orgId, campaign.id, draft.version),
    enabled: draft.state === 'saved',
    // A rehearsal looked at long ago says nothing about sending now.
    refetchOnMount: 'always',
  });
  if (draft.state === 'failed' || draft.state === 'clash')
    return (
      <Text c="dimmed" pb="md">
        Save the draft first, then you see here what would happen.
      </Text>
    );
  if (rehearsal.isError && !rehearsal.data)
    return <Problem error={rehearsal.error} onRetry={() => void rehearsal.refetch()} />;
  const { data } = rehearsal;
  return (
    <div className={classes.columns}>
      <Stack gap="md" className={classes.editor}>
        {data ? (
          <Outcome
            campaign={campaign}
            draft={draft}
            rehearsal={data}
            isFresh={!rehearsal.isFetching}
            go={go}
            reload={reload}
          />
        ) : (
          <Stack role="status" aria-label="Rehearsing the campaign">
            <Skeleton height={72} radius="md" />
            <Skeleton height={160} radius="md" />
          </Stack>
        )}
        <Summary campaign={campaign} values={draft.values} go={go} />
      </Stack>
      <aside className={classes.truth} aria-label="Messages as they will be sent">
        {data ? (
          data.messages.length > 0 ? (
            <MessagePager messages={data.messages} withVariant={draft.values.variants.length > 1} />
          ) : (
            <div className={classes.panel}>
              <Text c="dimmed">No message to show yet.</Text>
            </div>
          )
        ) : (
          <Skeleton height={420} radius="lg" />
        )}
      </aside>
    </div>
  );
}

interface OutcomeProps {
  campaign: Campaign;
  draft: CampaignDraft;
  rehearsal: Rehearsal;
  isFresh: boolean;
  go: (step: Step) => void;
  reload: () => void;
}

export function Outcome({ campaign, draft, rehearsal, isFresh, go, reload }: OutcomeProps) {
  const { orgId, organization } = useOrg();
  const [asking, setAsking] = useState(false);
  const [open, setOpen] = useState(false);
  const [isRefused, setRefused] = useState(false);
  const isSending = useIsMutating({ mutationKey: sendingKey(campaign) }) > 0;
  // The row follows the database, the draft's version only what was saved from here.
  const isOutdated =
    isRefused || (draft.state === 'saved' && campaign.updated_at > draft.version && !isSending);
  const halfTyped = halfTypedStep(draft.values);
  const isReady =
    isFresh && draft.state === 'saved' && !isOutdated && !halfTyped && rehearsal.problems.length === 0;
  const size = useQuery(audienceQuery(orgId, campaign.id, draft.version));
  const { values } = draft;
  const { recipients, problems, conflicts, held_out } = rehearsal;
  const out = excludedTotal(rehearsal.excluded);
  const cost = costWords(rehearsal.cost);
  const zone = values.time_zone ?? organization.time_zone;
  const people = plural(recipients, 'contact');
  const isScheduled = campaign.status === 'scheduled';
  return (
    <>
      {isOutdated && (
        <Alert color="yellow" variant="light" role="alert" icon={<IconUsers aria-hidden />}>
          <Group justify="space-between" gap="xs">
            <Text size="sm">Somebody else changed this campaign. Load it again.</Text>
            <Button size="xs" variant="default" onClick={reload}>
              Load again
            </Button>
          </Group>
        </Alert>
      )}
      {halfTyped && (
        <Alert color="red" variant="light" role="alert" icon={<IconAlertTriangle aria-hidden />}>
          <button type="button" className="op-link-button" onClick={() => go(halfTyped)}>
            {missingIn(halfTyped, values, Date.now())}
          </button>
        </Alert>
      )}
      {problems.length > 0 && <Problems problems={problems} go={go} />}
      <section className={classes.panel} aria-label="What will happen">
        <div role="status">
          <Title order={3} fz={24}>
            {recipients === 0 ? 'Nobody would receive it' : `${people} will receive it`}
          </Title>
        </div>
        <ul className={review.facts}>
          {out > 0 && (
            <li>
              {plural(out, 'contact')} {out === 1 ? 'is' : 'are'} left out.{' '}
              <button type="button" className="op-link-button" onClick={() => setOpen(true)}>
                See who and why
              </button>
            </li>
          )}
          {held_out > 0 && <li>{plural(held_out, 'contact')} held out, to measure the effect.</li>}
          {rehearsal.starts_at && (
            <li title={exactTime(rehearsal.starts_at)}>
              {values.scheduled_at
                ? `Starts ${fullWords(values.scheduled_at, zone)}.`
                : isLater(rehearsal.starts_at)
                  ? `Starts ${placedWords(rehearsal.starts_at, zone)}, when your quiet hours end.`
                  : 'Starts as soon as you press Send.'}
            </li>
          )}
          {rehearsal.finishes_at && recipients > 0 && (
            <li title={exactTime(rehearsal.finishes_at)}>
              The last message goes out around {placedWords(rehearsal.finishes_at, zone)}.
            </li>
          )}
          {cost && <li>Meta charges about {cost}.</li>}
        </ul>
        <TierLine tier={size.data?.tier} recipients={recipients} />
      </section>
      {conflicts.length > 0 && (
        <Alert color="yellow" variant="light" icon={<IconAlertTriangle aria-hidden />} title="Good to know">
          <ul className={review.jumps}>
            {conflicts.map((conflict, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a list that is replaced as a whole
              <li key={index}>{conflictWords(conflict)}</li>
            ))}
          </ul>
        </Alert>
      )}
      {isScheduled ? (
        <Text role="status">
          Scheduled for {values.scheduled_at && zonedWords(values.scheduled_at, zone)}. Nothing more to do.
        </Text>
      ) : (
        <Group>
          <Button
            size="lg"
            leftSection={values.scheduled_at ? <IconCalendarTime size={20} /> : <IconSend size={20} />}
            disabled={recipients === 0 || !isReady}
            onClick={() => setAsking(true)}
            className={review.send}
          >
            {values.scheduled_at ? `Schedule for ${people}` : `Send to ${people}`}
          </Button>
        </Group>
      )}
      <Suspense fallback={null}>
        {asking && !isOutdated && (
          <SendDialog
            campaign={campaign}
            version={draft.version}
            recipients={recipients}
            at={values.scheduled_at}
            zone={zone}
            cost={cost}
            onClose={() => setAsking(false)}
            onClash={() => setRefused(true)}
          />
        )}
        {open && (
          <ExclusionsDrawer
            campaignId={campaign.id}
            version={draft.version}
            excluded={size.data?.excluded ?? {}}
            onClose={() => setOpen(false)}
          />
        )}
      </Suspense>
    </>
  );
}

/** A rehearsal takes a moment, and its "now" is a little old when it is read. */
const isLater = (at: string): boolean => Date.parse(at) > Date.now() + 60_000;

/** On which page a problem is mended. */
export function stepOf(problem: CampaignProblem): Step {
  const field = typeof problem.field === 'string' ? problem.field : '';
  if (/^(name|description|whatsapp_account_id)/.test(field)) return 'setup';
  if (/^audience/.test(field)) return 'audience';
  if (/^(scheduled_at|time_zone|quiet_hours|uncertain|attribution)/.test(field)) return 'schedule';
  return field ? 'content' : problem.code === 'CAMPAIGN_002' ? 'audience' : 'content';
}

function Problems({ problems, go }: { problems: CampaignProblem[]; go: (step: Step) => void }) {
  return (
    <Alert
      color="red"
      variant="light"
      role="alert"
      icon={<IconAlertTriangle aria-hidden />}
      title="Before it can be sent"
    >
      <ul className={review.jumps}>
        {problems.map((problem, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a list that is replaced as a whole
          <li key={index}>
            <button type="button" className="op-link-button" onClick={() => go(stepOf(problem))}>
              {problemWords(problem)}
            </button>
          </li>
        ))}
      </ul>
    </Alert>
  );
}

interface SummaryProps {
  campaign: Campaign;
  values: DraftValues;
  go: (step: Step) => void;
}

/** What was chosen, each line with the way back to where it is changed. */
export function Summary({ campaign, values, go }: SummaryProps) {
  const { orgId, organization } = useOrg();
  const segments = useQuery({ ...segmentsQuery(orgId), enabled: isSegmentAudience(values.audience) });
  const segmentId = isSegmentAudience(values.audience) ? values.audience.segment_id : undefined;
  const zone = values.time_zone ?? organization.time_zone;
  return (
    <dl className={review.summary} aria-label="Summary">
      <Line label="Name" onEdit={() => go('setup')}>
        {values.name || campaign.name}
      </Line>
      <Line label="Audience" onEdit={() => go('audience')}>
        {audienceWords(values.audience, segments.data?.find(({ id }) => id === segmentId)?.name)}
      </Line>
      {values.variants.map((variant, index) => (
        <VariantLines
          // biome-ignore lint/suspicious/noArrayIndexKey: variants are known by their position
          key={index}
          variant={variant}
          name={values.variants.length > 1 ? variantName(index + 1) : undefined}
          onEdit={() => go('content')}
        />
      ))}
      {values.test && (
        <Line label="Test" onEdit={() => go('content')}>
          {values.test.percent ?? '–'} % for {values.test.hours} hours, by{' '}
          {values.test.measure === 'read' ? 'how many read it' : 'how many reply'};{' '}
          {values.test.choose === 'automatic' ? 'the better one goes on by itself' : 'somebody chooses'}
        </Line>
      )}
      <Line label="When" onEdit={() => go('schedule')}>
        {values.scheduled_at ? zonedWords(values.scheduled_at, zone) : 'Now'}
        {values.quiet_hours && `, quiet from ${values.quiet_hours.from} to ${values.quiet_hours.to}`}
      </Line>
      <Line label="If we can’t be sure" onEdit={() => go('schedule')}>
        {values.uncertain_policy === 'miss'
          ? 'Rather miss somebody than write twice'
          : 'Rather write twice than miss somebody'}
      </Line>
    </dl>
  );
}

interface VariantLinesProps {
  variant: DraftVariant;
  /** Absent when it is the only one. */
  name: string | undefined;
  onEdit: () => void;
}

/** Its template, and where the buttons lead whose clicks are counted. */
function VariantLines({ variant, name, onEdit }: VariantLinesProps) {
  const { orgId } = useOrg();
  const id = variant.template_id;
  const { data } = useQuery({ ...templateQuery(orgId, id ?? ''), enabled: id !== null });
  return (
    <>
      <Line label={name ? `${name} (${variant.share ?? '–'} %)` : 'Template'} onEdit={onEdit}>
        {id ? (data?.name ?? '…') : 'Not chosen yet'}
      </Line>
      {data &&
        trackedButtons(data).map(({ index, label }) => (
          <Line key={index} label={`Where “${label}” leads${name ? ` (${name})` : ''}`} onEdit={onEdit}>
            {(variant.links[index] ?? data.links[index]) || 'Not given yet'}
          </Line>
        ))}
    </>
  );
}

function Line({ label, children, onEdit }: { label: string; children: ReactNode; onEdit: () => void }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <span dir="auto">{children}</span>
        <button type="button" className="op-link-button" aria-label={`Change: ${label}`} onClick={onEdit}>
          Change
        </button>
      </dd>
    </div>
  );
}
