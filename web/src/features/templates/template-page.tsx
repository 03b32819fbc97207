import { Alert, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconEdit, IconInfoCircle, IconSend, IconSpeakerphone } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense } from 'react';
import { FindProblem } from '@/components/find-problem';
import { LoadProblem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useOrg } from '@/features/tenancy/queries';
import { accountsQuery } from '@/features/whatsapp/queries';
import { useNow } from '@/lib/clock';
import { lazyPart } from '@/lib/lazy-part';
import { usePolling } from '@/lib/realtime';
import { count, exactTime, longDate, relativeAge } from '@/lib/time';
import { CategoryBadge, QualityBadge, StatusBadge } from './badges';
import { languageName } from './languages';
import { useTemplatesLive } from './live';
import { editsAtMeta, mayEdit, maySendToMany, maySubmit, type Template } from './model';
import { categoryName } from './names';
import { PhonePreview } from './preview/phone-preview';
import { previewQuery, templateQuery, variablesQuery } from './queries';
import { TemplateMenu } from './template-row-menu';
import classes from './templates.module.css';
import { statusWords } from './words';

const route = getRouteApi('/_app/templates/$templateId');

// Figures come after what the template is.
const TemplateAnalytics = lazyPart(async () => (await import('./analytics')).TemplateAnalytics);

export function TemplatePage() {
  const { templateId } = route.useParams();
  const { orgId } = useOrg();
  useTemplatesLive(orgId);
  const template = useQuery({ ...templateQuery(orgId, templateId), refetchInterval: usePolling() });
  if (template.isPending) {
    return (
      <Stack className={classes.page} role="status" aria-label="Loading">
        <Skeleton height={32} width={280} />
        <Skeleton height={18} width={420} maw="100%" />
        <Skeleton height={420} />
      </Stack>
    );
  }
  if (template.isError) {
    return (
      <div className={classes.page}>
        <FindProblem
          error={template.error}
          what="this template"
          onRetry={() => void template.refetch()}
          back={<TextLink to="/templates">See all templates</TextLink>}
        />
      </div>
    );
  }
  return (
    <div className={classes.page}>
      <nav aria-label="Breadcrumb" className={classes.crumbs}>
        <TextLink to="/templates">Templates</TextLink>
      </nav>
      <Header template={template.data} />
      <Explained template={template.data} />
      <div className={classes.detail}>
        <aside className={classes.detailSide} aria-label="Preview">
          <Preview template={template.data} />
        </aside>
        <Stack gap="md">
          <Facts template={template.data} />
          <Suspense fallback={<Skeleton height={380} />}>
            <TemplateAnalytics template={template.data} />
          </Suspense>
        </Stack>
      </div>
    </div>
  );
}

function Header({ template }: { template: Template }) {
  const org = useOrg();
  const navigate = useNavigate();
  const mayManage = org.can('campaigns.manage');
  const edit = (step?: 'review') =>
    void navigate({
      to: '/templates/$templateId/edit',
      params: { templateId: template.id },
      search: { step },
    });
  return (
    <Group component="header" justify="space-between" align="flex-start" gap="sm" mb="md">
      <div style={{ minWidth: 0, flex: '1 1 320px' }}>
        <Title order={2} fz={24} mb={8} style={{ overflowWrap: 'anywhere' }}>
          {template.name}
        </Title>
        <div className={classes.badges}>
          <StatusBadge template={template} />
          <CategoryBadge category={template.category} />
          <QualityBadge quality={template.quality} />
          <Text size="sm" c="dimmed">
            {languageName(template.language)}
          </Text>
        </div>
      </div>
      {mayManage && (
        <Group gap="xs">
          {mayEdit(template) && (
            <Button variant="default" leftSection={<IconEdit size={18} />} onClick={() => edit()}>
              {editsAtMeta(template) ? 'Change' : 'Edit'}
            </Button>
          )}
          {maySubmit(template) && (
            <Button leftSection={<IconSend size={18} />} onClick={() => edit('review')}>
              {template.status === 'rejected' ? 'Submit again' : 'Submit to Meta'}
            </Button>
          )}
          {maySendToMany(template) && (
            <Button
              leftSection={<IconSpeakerphone size={18} />}
              onClick={() => void navigate({ to: '/campaigns/new', search: { template: template.id } })}
            >
              Use in campaign
            </Button>
          )}
          <TemplateMenu template={template} onDeleted={() => void navigate({ to: '/templates' })} />
        </Group>
      )}
    </Group>
  );
}

const tones = {
  info: { color: 'blue', Icon: IconInfoCircle },
  warning: { color: 'yellow', Icon: IconAlertTriangle },
  danger: { color: 'red', Icon: IconAlertTriangle },
};

/** The status in words: what happened, and what to do. */
function Explained({ template }: { template: Template }) {
  const said = statusWords(template);
  const { correct_category: next, category_changes_at: at, previous_category: before } = template;
  return (
    <Stack gap="xs" mb="md">
      {said && (
        <Note tone={said.tone} title={said.title}>
          {said.text}
        </Note>
      )}
      {next ? (
        <Note tone="warning" title={`Meta will make it ${categoryName(next)}`}>
          {at ? `From ${exactTime(at)} on it` : 'It then'} costs what {categoryName(next)} costs
          {next === 'marketing' && ', and only goes to contacts who opted in'}. If it really is{' '}
          {categoryName(template.category).toLowerCase()}, take out what promotes, or ask Meta for a review in
          WhatsApp Manager.
        </Note>
      ) : (
        before &&
        before.toLowerCase() !== template.category && (
          <Note tone="info" title={`Meta changed its category to ${categoryName(template.category)}`}>
            It was {categoryName(before).toLowerCase()} before. Price and consent follow the new one; you can
            ask Meta for a review within 60 days in WhatsApp Manager.
          </Note>
        )
      )}
    </Stack>
  );
}

function Note({
  tone,
  title,
  children,
}: {
  tone: keyof typeof tones;
  title: string;
  children: React.ReactNode;
}) {
  const { color, Icon } = tones[tone];
  return (
    <Alert color={color} variant="light" icon={<Icon aria-hidden />} title={title} role="status">
      {children}
    </Alert>
  );
}

/** With Meta's samples where there are some, as the builder shows it. */
function Preview({ template }: { template: Template }) {
  const { orgId } = useOrg();
  const accounts = useQuery(accountsQuery(orgId));
  const variables = useQuery(variablesQuery(orgId, template));
  const samples = Object.fromEntries(
    (variables.data ?? []).flatMap(({ key, kind, example }) =>
      example && (kind === 'text' || kind === 'code') ? [[key, example]] : [],
    ),
  );
  const rendered = useQuery({
    ...previewQuery(orgId, template, samples),
    enabled: !variables.isPending,
    placeholderData: (previous) => previous,
  });
  const sender = accounts.data?.find((each) => each.waba_id === template.waba_id)?.verified_name;
  if (rendered.isError && !rendered.data)
    return <LoadProblem error={rendered.error} what="the preview" onRetry={() => void rendered.refetch()} />;
  if (!rendered.data) return <Skeleton height={380} radius={24} maw={340} mx="auto" />;
  return (
    <PhonePreview
      rendered={rendered.data}
      sender={sender ?? undefined}
      caption={Object.keys(samples).length > 0 ? 'With the samples given to Meta' : undefined}
    />
  );
}

function Facts({ template }: { template: Template }) {
  const now = useNow(60_000);
  const when = (time: string | null | undefined) =>
    time ? (
      <time dateTime={time} title={exactTime(time)}>
        {relativeAge(time, now)}
      </time>
    ) : (
      '–'
    );
  const tracked = Object.entries(template.links);
  return (
    <section className={classes.card} aria-labelledby="facts-title">
      <Title order={3} fz="md" mb={12} id="facts-title">
        Details
      </Title>
      <dl className={classes.facts}>
        <dt>Sent</dt>
        <dd>{template.sent_count > 0 ? `${count(template.sent_count)} times` : 'Not yet'}</dd>
        <dt>Last used</dt>
        <dd>{when(template.last_used_at)}</dd>
        <dt>Created</dt>
        <dd title={exactTime(template.created_at)}>{longDate(template.created_at)}</dd>
        {template.submitted_at && (
          <>
            <dt>Submitted</dt>
            <dd>{when(template.submitted_at)}</dd>
          </>
        )}
        {template.reviewed_at && (
          <>
            <dt>Reviewed by Meta</dt>
            <dd>{when(template.reviewed_at)}</dd>
          </>
        )}
        {tracked.length > 0 && (
          <>
            <dt>Tracked links</dt>
            <dd>
              {tracked.map(([index, destination]) => (
                <div key={index}>{destination}</div>
              ))}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}
