import { Alert, Button, Group, Skeleton, Text } from '@mantine/core';
import { IconAlertCircle, IconCalendarTime, IconHistory, IconUsers } from '@tabler/icons-react';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense, useEffect, useRef, useState } from 'react';
import { TextLink } from '@/components/text-link';
import { useNow } from '@/lib/clock';
import { describeError } from '@/lib/errors';
import { lazyPart } from '@/lib/lazy-part';
import { relativeAge } from '@/lib/time';
import type { Detail } from '../model';
import { halfTypedStep, missingIn, type Step, stepNames, steps } from './draft';
import { SetupStep } from './setup-step';
import { StepList } from './step-list';
import { type CampaignDraft, useCampaignDraft } from './use-campaign-draft';
import { useWantedValues } from './use-wanted-values';
import classes from './wizard.module.css';

const route = getRouteApi('/_app/campaigns/$campaignId/edit');

const AudienceStep = lazyPart(async () => (await import('./audience-step')).AudienceStep);
const ContentStep = lazyPart(async () => (await import('./content-step')).ContentStep);
const ScheduleStep = lazyPart(async () => (await import('./schedule-step')).ScheduleStep);
const ReviewStep = lazyPart(async () => (await import('./review-step')).ReviewStep);

interface CampaignWizardProps {
  detail: Detail;
  onTakeTheirs: () => Promise<unknown>;
}

/** The five steps over one draft, which is saved as it changes. */
export function CampaignWizard({ detail, onTakeTheirs }: CampaignWizardProps) {
  const { campaign } = detail;
  const { step = 'setup', segment } = route.useSearch();
  const navigate = useNavigate();
  const draft = useCampaignDraft(detail);
  const { set } = draft;
  const { values, isLoading, isFailed } = useWantedValues(draft.values);
  const now = useNow(30_000);
  const [asked, setAsked] = useState<Step>();
  const head = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);

  const go = (to: Step) =>
    void navigate({
      to: '/campaigns/$campaignId/edit',
      params: { campaignId: campaign.id },
      search: { step: to },
    });

  // A segment that was made for this campaign comes back in the address.
  useEffect(() => {
    if (!segment) return;
    set({ audience: { segment_id: segment } });
    void navigate({
      to: '/campaigns/$campaignId/edit',
      params: { campaignId: campaign.id },
      search: { step: 'audience' },
      replace: true,
    });
  }, [segment, set, navigate, campaign.id]);

  // The next step is announced and read from its top; the page's own first step is not.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of step is what moves the focus
  useEffect(() => {
    if (first.current) first.current = false;
    else head.current?.focus();
  }, [step]);

  const at = steps.indexOf(step);
  const missingAt = (each: Step) =>
    each === 'content' && isFailed
      ? 'The values of the template could not be loaded.'
      : missingIn(each, values, now);
  const missing = missingAt(step);
  const next = steps[at + 1];
  const before = steps[at - 1];
  const problem = asked === step ? missing : undefined;
  const reload = () => void onTakeTheirs();
  const parts = { draft, campaign, problem, go, reload };
  return (
    <>
      <nav aria-label="Breadcrumb">
        <ol className={classes.crumbs}>
          <li>
            <TextLink to="/campaigns">Campaigns</TextLink>
          </li>
          <li aria-hidden>›</li>
          <li aria-current="page" title={values.name} dir="auto">
            {values.name || 'No name yet'}
          </li>
        </ol>
      </nav>
      <StepList
        current={step}
        campaignId={campaign.id}
        isDone={(each) =>
          each !== 'review' && !(each === 'content' && isLoading) && missingAt(each) === undefined
        }
      />
      <Notices draft={draft} isScheduled={campaign.status === 'scheduled'} onTakeTheirs={onTakeTheirs} />
      <Text component="h2" fz={20} fw={650} ref={head} tabIndex={-1} className={classes.head}>
        {stepNames[step]}
      </Text>
      <Suspense fallback={<Skeleton height={280} radius="md" role="status" aria-label="Loading" />}>
        {step === 'setup' && <SetupStep {...parts} />}
        {step === 'audience' && <AudienceStep {...parts} />}
        {step === 'content' && <ContentStep {...parts} />}
        {step === 'schedule' && <ScheduleStep {...parts} />}
        {step === 'review' && <ReviewStep {...parts} />}
      </Suspense>
      <div className={classes.foot}>
        <SaveState draft={draft} isScheduled={campaign.status === 'scheduled'} />
        {problem && (
          <Text size="sm" c="red" role="alert" className={classes.footProblem}>
            {problem}
          </Text>
        )}
        <Group gap="sm" wrap="nowrap" className={classes.footButtons}>
          {before && (
            <Button variant="default" size="md" onClick={() => go(before)}>
              Back
            </Button>
          )}
          {next ? (
            <Button
              size="md"
              loading={step === 'content' && isLoading}
              onClick={() => {
                if (missing) setAsked(step);
                else {
                  void draft.flush();
                  go(next);
                }
              }}
            >
              Continue
            </Button>
          ) : (
            <Button
              variant="default"
              size="md"
              onClick={async () => {
                if (await draft.flush()) void navigate({ to: '/campaigns' });
              }}
            >
              {campaign.status === 'scheduled' ? 'Done' : 'Save as draft'}
            </Button>
          )}
        </Group>
      </div>
    </>
  );
}

function SaveState({ draft, isScheduled }: { draft: CampaignDraft; isScheduled: boolean }) {
  const now = useNow(1_000);
  return (
    <Text size="sm" c="dimmed" className={classes.footNote}>
      {saveWords(draft, isScheduled, now)}
    </Text>
  );
}

function saveWords({ state, savedAt, values }: CampaignDraft, isScheduled: boolean, now: number): string {
  if (state === 'saving' || state === 'waiting') return 'Saving…';
  if (state !== 'saved') return 'Not saved: kept on this device';
  if (halfTypedStep(values)) return 'Saved, but for what isn’t filled in';
  if (savedAt) return `Saved ${ago(savedAt, now)}`;
  return isScheduled ? 'Saved' : 'Saved as a draft';
}

function ago(at: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - at) / 1_000));
  if (seconds < 2) return 'just now';
  return seconds < 60 ? `${seconds} s ago` : relativeAge(new Date(at).toISOString(), now);
}

interface NoticesProps {
  draft: CampaignDraft;
  isScheduled: boolean;
  onTakeTheirs: () => Promise<unknown>;
}

function Notices({ draft, isScheduled, onTakeTheirs }: NoticesProps) {
  const [seen, setSeen] = useState(false);
  const { state, error } = draft;
  return (
    <>
      {isScheduled && (
        <Alert color="blue" variant="light" icon={<IconCalendarTime aria-hidden />} mb="md">
          This campaign is scheduled. What you change here is what will be sent.
        </Alert>
      )}
      {draft.isRestored && !seen && state !== 'clash' && (
        <Alert
          color="blue"
          variant="light"
          icon={<IconHistory aria-hidden />}
          mb="md"
          withCloseButton
          closeButtonLabel="Close"
          onClose={() => setSeen(true)}
        >
          We kept what you hadn’t saved.
        </Alert>
      )}
      {state === 'failed' && (
        <Alert color="red" variant="light" role="alert" icon={<IconAlertCircle aria-hidden />} mb="md">
          <Group justify="space-between" gap="xs">
            <Text size="sm">{refusalWords(error)}</Text>
            <Button size="xs" variant="default" onClick={() => void draft.flush()}>
              Save again
            </Button>
          </Group>
        </Alert>
      )}
      {state === 'clash' && (
        <Alert
          color="yellow"
          variant="light"
          role="alert"
          icon={<IconUsers aria-hidden />}
          title="Somebody else changed this campaign meanwhile"
          mb="md"
        >
          <Text size="sm">What you made is still here and not saved yet.</Text>
          <Group gap="xs" mt="xs">
            <Button
              size="xs"
              variant="default"
              onClick={() => {
                draft.letGo();
                void onTakeTheirs();
              }}
            >
              Go on with theirs
            </Button>
            <Button size="xs" variant="default" onClick={draft.keepMine}>
              Save mine over it
            </Button>
          </Group>
        </Alert>
      )}
    </>
  );
}

/** The database's own sentences about fields it refused, else the catalogue's. */
function refusalWords(error: unknown): string {
  const { message, details } = describeError(error);
  const problems = Array.isArray(details.problems) ? (details.problems as { message?: unknown }[]) : [];
  const said = problems.flatMap((each) => (typeof each.message === 'string' ? [each.message] : []));
  return said.length > 0 ? said.join(' ') : message;
}
