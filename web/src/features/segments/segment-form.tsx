import { Alert, Button, Group, Radio, Skeleton, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, Suspense, useRef, useState } from 'react';
import { Problem } from '@/components/problem';
import { useUser } from '@/features/auth/session';
import { useOrg } from '@/features/tenancy/queries';
import { describeError } from '@/lib/errors';
import { lazyPart } from '@/lib/lazy-part';
import { tellDone } from '@/lib/tell';
import { plural } from '@/lib/time';
import { draftKey } from './drafts';
import { LeaveDialog } from './leave-dialog';
import { type RuleProblem, type Segment, type SegmentKind, unfinishedProblems } from './model';
import { OtherVersion, readOther } from './other-version';
import { forgetPassedSelection, type PassedSelection } from './passed-selection';
import { usePreview } from './preview';
import { type LiveCount, PreviewPanel } from './preview-panel';
import { ProblemList } from './problem-list';
import { createSegment, pinsQuery, segmentKey, segmentQuery, updateSegment } from './queries';
import type { RuleBuilderHandle } from './rule-builder';
import classes from './segments.module.css';
import { type FormValues, useSegmentDraft } from './use-segment-draft';

// The builder with all its controls comes while the name is already there to be typed.
const RuleBuilder = lazyPart(async () => (await import('./rule-builder')).RuleBuilder);

interface SegmentFormProps {
  kind: SegmentKind;
  start: FormValues;
  /** Names the draft of this form among others. */
  draftName: string;
  /** Absent for a new one. */
  segment?: Segment;
  /** Who becomes the members of a new static segment, instead of rules. */
  passed?: PassedSelection & { of?: string };
  /** The campaign that waits for it as its audience. */
  campaign?: string;
}

/** Makes or changes a segment: its name and rules at the left, who that is at the right. */
export function SegmentForm({ kind, start, draftName, segment, passed, campaign }: SegmentFormProps) {
  const { orgId } = useOrg();
  const user = useUser();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const form = useSegmentDraft(draftKey(user.id, draftName), start, segment?.updated_at ?? null);
  const { values } = form;
  const hasRules = !passed && !(segment && kind === 'static');
  const preview = usePreview(orgId, values.rules, hasRules);
  const pins = useQuery({ ...pinsQuery(orgId, segment?.id ?? ''), enabled: segment?.kind === 'dynamic' });
  const [asked, setAsked] = useState(false);
  const [refused, setRefused] = useState<{ rules: string; problems: RuleProblem[] }>();
  const builder = useRef<RuleBuilderHandle>(null);
  const nameField = useRef<HTMLInputElement>(null);

  const rulesText = JSON.stringify(values.rules);
  const problems = hasRules
    ? [
        ...(asked ? unfinishedProblems(values.rules) : []),
        ...preview.problems,
        // What the server refused when saving is told until the rules are changed.
        ...(refused?.rules === rulesText ? refused.problems : []),
      ].filter((problem, index, all) => all.findIndex((each) => each.path === problem.path) === index)
    : [];
  const isNameless = asked && !values.name.trim();

  const save = useMutation({
    mutationFn: ({ base }: { base: string | null }) => {
      const change = {
        name: values.name.trim(),
        description: values.description.trim() || null,
        rules: segment && kind === 'static' ? null : values.rules,
      };
      if (segment) return updateSegment(segment.id, change, base ?? segment.updated_at);
      if (kind === 'static')
        return createSegment(orgId, change, passed?.selection ?? { rules: values.rules });
      return createSegment(orgId, change);
    },
    onSuccess: async (saved) => {
      form.finish();
      if (passed && !passed.of) forgetPassedSelection();
      queryClient.setQueryData(segmentQuery(orgId, saved.id).queryKey, saved);
      await queryClient.invalidateQueries({ queryKey: segmentKey(orgId) });
      tellDone(`“${saved.name}” is saved.`);
      if (campaign) {
        void navigate({
          to: '/campaigns/$campaignId/edit',
          params: { campaignId: campaign },
          search: { step: 'audience', segment: saved.id },
        });
        return;
      }
      void navigate({ to: '/segments/$segmentId', params: { segmentId: saved.id }, search: {} });
    },
    onError: (error) => {
      const { code, details } = describeError(error);
      if (code === 'SEGMENT_003') nameField.current?.focus();
      if (code === 'SEGMENT_002' && Array.isArray(details.problems)) {
        const found = details.problems as RuleProblem[];
        setRefused({ rules: rulesText, problems: found });
        if (found[0]?.path === '/name') nameField.current?.focus();
        else if (found[0]) builder.current?.focusProblem(found[0].path);
      }
    },
  });
  const code = save.error ? describeError(save.error).code : undefined;
  const other = code === 'SEGMENT_006' ? readOther(save.error) : undefined;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (!values.name.trim()) {
      nameField.current?.focus();
      return;
    }
    const first = hasRules ? (unfinishedProblems(values.rules)[0] ?? preview.problems[0]) : undefined;
    if (first) builder.current?.focusProblem(first.path);
    else save.mutate({ base: form.base });
  };

  return (
    <form onSubmit={submit} noValidate className={classes.form}>
      <div className={classes.editor}>
        {form.isRestored && (
          <Alert color="blue" variant="light" icon={<IconHistory aria-hidden />} mb="md">
            <Group justify="space-between" gap="xs">
              <Text size="sm">We kept what you hadn’t saved.</Text>
              <Button size="xs" variant="default" onClick={form.startOver}>
                Start over
              </Button>
            </Group>
          </Alert>
        )}
        <Stack gap="md">
          <TextInput
            ref={nameField}
            label="Name"
            placeholder="Regulars who went quiet"
            size="md"
            withAsterisk
            maxLength={100}
            value={values.name}
            onChange={(event) => form.set({ name: event.currentTarget.value })}
            error={
              isNameless
                ? 'Give it a name.'
                : code === 'SEGMENT_003' && 'There’s already a segment with this name.'
            }
          />
          <Textarea
            label="Description"
            description="For your colleagues: what is it for?"
            autosize
            minRows={1}
            maxRows={4}
            maxLength={1000}
            value={values.description}
            onChange={(event) => form.set({ description: event.currentTarget.value })}
          />
          {!segment && !passed && (
            <KindChoice
              kind={kind}
              onChange={(next) => {
                form.moveTo(draftKey(user.id, `new:${next}`));
                void navigate({
                  to: '/segments/new',
                  search: (old) => ({ ...old, kind: next === 'static' ? next : undefined }),
                  replace: true,
                });
              }}
            />
          )}
          {hasRules && (
            <section aria-labelledby="rules-title">
              <Text component="h2" id="rules-title" fw={600} fz="md" mb={8}>
                Who belongs
              </Text>
              <Suspense fallback={<Skeleton height={96} />}>
                <RuleBuilder
                  ref={builder}
                  orgId={orgId}
                  value={values.rules}
                  onChange={(rules) => form.set({ rules })}
                  problems={problems}
                  segmentId={segment?.id}
                />
              </Suspense>
              <ProblemList problems={problems} onJump={(path) => builder.current?.focusProblem(path)} />
            </section>
          )}
          {passed && (
            <Text>
              {passed.of
                ? `Everybody who is in “${passed.of}” when you save goes on the list: ${plural(passed.count, 'contact')} now.`
                : `The ${plural(passed.count, 'contact')} you selected go on the list.`}
            </Text>
          )}
          {segment && kind === 'static' && (
            <Text c="dimmed">This is a fixed list. Put people on it or take them off on its own page.</Text>
          )}
          {other ? (
            <OtherVersion
              orgId={orgId}
              other={other}
              busy={save.isPending}
              onTake={() => {
                form.take(
                  {
                    name: other.name,
                    description: other.description ?? '',
                    rules: other.rules ?? values.rules,
                  },
                  other.updated_at,
                );
                save.reset();
              }}
              onKeep={() => save.mutate({ base: other.updated_at })}
            />
          ) : (
            code !== 'SEGMENT_003' && <Problem error={save.error} />
          )}
        </Stack>
      </div>
      {hasRules && (
        <aside className={classes.truth} aria-label="Preview">
          <PreviewPanel preview={preview} rules={values.rules} pinned={pins.data?.length ?? 0} />
        </aside>
      )}
      <div className={classes.foot}>
        <div className={classes.footCount}>{hasRules && <LiveCountText preview={preview} />}</div>
        <Text size="sm" c="dimmed" className={classes.footNote}>
          {form.isDirty ? 'Kept on this device until you save' : ''}
        </Text>
        <Button
          variant="default"
          size="md"
          className={classes.footCancel}
          onClick={() =>
            void navigate(
              campaign
                ? {
                    to: '/campaigns/$campaignId/edit',
                    params: { campaignId: campaign },
                    search: { step: 'audience' },
                  }
                : segment
                  ? { to: '/segments/$segmentId', params: { segmentId: segment.id } }
                  : { to: '/segments' },
            )
          }
        >
          Cancel
        </Button>
        <Button type="submit" size="md" loading={save.isPending}>
          {saveWords(kind, segment, passed?.count ?? preview.data?.count)}
        </Button>
      </div>
      <LeaveDialog form={form} />
    </form>
  );
}

function saveWords(
  kind: SegmentKind,
  segment: Segment | undefined,
  people: number | null | undefined,
): string {
  if (segment) return 'Save changes';
  if (kind === 'dynamic') return 'Save segment';
  if (typeof people !== 'number') return 'Save this list';
  return people === 1 ? 'Freeze this 1 person' : `Freeze these ${plural(people, 'person', 'people')}`;
}

function LiveCountText({ preview }: { preview: Parameters<typeof LiveCount>[0]['preview'] }) {
  return (
    <Text fw={600} data-stale={preview.isCounting || undefined} aria-hidden>
      {typeof preview.data?.count === 'number' ? plural(preview.data.count, 'contact') : ''}
    </Text>
  );
}

function KindChoice({ kind, onChange }: { kind: SegmentKind; onChange: (kind: SegmentKind) => void }) {
  return (
    <Radio.Group label="Type" value={kind} onChange={(value) => onChange(value as SegmentKind)}>
      <Stack gap="xs" mt={4}>
        <Radio
          value="dynamic"
          label="Dynamic"
          description="Follows the rules: people come in and go out by themselves."
        />
        <Radio
          value="static"
          label="Static"
          description="A fixed list: whoever matches the rules when you save, and nobody else later."
        />
      </Stack>
    </Radio.Group>
  );
}
