import {
  Button,
  CloseButton,
  Group,
  Loader,
  Modal,
  NativeSelect,
  Skeleton,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { IconArrowLeft, IconChevronRight, IconSearch, IconSend2, IconTemplate } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Hint, LoadProblem, Problem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useOrg } from '@/features/tenancy/queries';
import { useDebounced } from '@/lib/debounce';
import { useMedia } from '@/lib/media';
import { plural } from '@/lib/time';
import { CategoryBadge } from '../badges';
import { type Category, categories } from '../kinds';
import { languageName } from '../languages';
import { lastingLinkQuery } from '../lasting-link';
import { useTemplatesLive } from '../live';
import { bodyOf, type Template, type TemplateValues } from '../model';
import { categoryNames } from '../names';
import { PhonePreview } from '../preview/phone-preview';
import { previewQuery, templatesQuery, variablesQuery } from '../queries';
import classes from './send.module.css';
import { ValueFields } from './value-fields';
import { type Answers, knownAnswers, missingAnswers, valuesOfAnswers } from './values';

export interface ChosenTemplate {
  id: string;
  values: TemplateValues;
  /** How it reads, for the bubble until the database has it. */
  body: string;
}

interface SendTemplateProps {
  /** Who gets it. */
  to: { name: string | null };
  wabaId?: string;
  onSend: (chosen: ChosenTemplate) => void;
  onClose: () => void;
}

/** Chooses an approved template, fills its variables in and shows how it will look. */
export function SendTemplate({ to, wabaId, onSend, onClose }: SendTemplateProps) {
  const { orgId } = useOrg();
  useTemplatesLive(orgId);
  const [chosen, setChosen] = useState<Template>();
  const isNarrow = useMedia('(max-width: 47.99em)');
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      fullScreen={isNarrow}
      title={chosen ? chosen.name : 'Send a template'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {chosen ? (
        <Fill
          key={chosen.id}
          template={chosen}
          to={to}
          onBack={() => setChosen(undefined)}
          onSend={(sent) => {
            onSend(sent);
            onClose();
          }}
        />
      ) : (
        <Choose wabaId={wabaId} onChoose={setChosen} />
      )}
    </Modal>
  );
}

const A_PAGE = 50;

function Choose({ wabaId, onChoose }: { wabaId?: string; onChoose: (template: Template) => void }) {
  const org = useOrg();
  const [typed, setTyped] = useState('');
  const [category, setCategory] = useState<Category>();
  const q = useDebounced(typed, 200);
  const query = useQuery({
    ...templatesQuery(org.orgId, {
      q,
      category,
      status: 'approved',
      sort: 'sent_count',
      descending: true,
      page: 1,
      size: A_PAGE,
    }),
    placeholderData: keepPreviousData,
  });
  // A number sends only what its own account has.
  const found = query.data?.templates.filter((template) => !wabaId || template.waba_id === wabaId);
  const hasMore = (query.data?.total ?? 0) > A_PAGE;
  const isAsking = q.trim() !== '' || category !== undefined;
  return (
    <Stack gap="sm">
      <Group gap="sm" wrap="nowrap">
        <TextInput
          flex={1}
          type="search"
          data-autofocus
          aria-label="Search templates"
          placeholder="Search templates"
          leftSection={<IconSearch size={18} aria-hidden />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          rightSection={
            typed ? (
              <CloseButton size="sm" aria-label="Clear the search" onClick={() => setTyped('')} />
            ) : null
          }
        />
        <NativeSelect
          aria-label="Category"
          w={150}
          value={category ?? ''}
          onChange={(event) => setCategory((event.currentTarget.value || undefined) as Category | undefined)}
          data={[
            { value: '', label: 'Any category' },
            ...categories.map((value) => ({ value, label: categoryNames[value] })),
          ]}
        />
      </Group>
      {query.isError && !query.data ? (
        <LoadProblem error={query.error} what="your templates" onRetry={() => void query.refetch()} />
      ) : !found ? (
        <Stack gap="xs" role="status" aria-label="Loading">
          {[1, 2, 3].map((line) => (
            <Skeleton key={line} height={64} />
          ))}
        </Stack>
      ) : found.length === 0 && hasMore ? (
        <Hint icon={<IconSearch size={28} stroke={1.5} />} title="Search for it" role="status">
          None of the {A_PAGE} most used templates belongs to this number.
        </Hint>
      ) : found.length === 0 ? (
        <Hint
          icon={<IconTemplate size={28} stroke={1.5} />}
          title={isAsking ? 'No approved template found' : 'No template is approved yet'}
          action={!isAsking && <TextLink to="/templates">See your templates</TextLink>}
          role="status"
        >
          {isAsking
            ? 'Try fewer letters, or another category.'
            : org.can('campaigns.manage')
              ? 'Write one and submit it to Meta. That mostly takes minutes.'
              : 'Ask an owner, an admin or a campaign manager to write one.'}
        </Hint>
      ) : (
        <>
          <ul className={classes.list} aria-label="Approved templates">
            {found.map((template) => (
              <li key={template.id}>
                <button type="button" className={classes.choice} onClick={() => onChoose(template)}>
                  <span className={classes.choiceText}>
                    <span className={classes.choiceName}>
                      {template.name} <small>{languageName(template.language)}</small>
                    </span>
                    <span className={classes.choiceBody} dir="auto">
                      {bodyOf(template)}
                    </span>
                  </span>
                  <CategoryBadge category={template.category} />
                  <IconChevronRight size={18} aria-hidden />
                </button>
              </li>
            ))}
          </ul>
          <Text size="sm" c="dimmed" role="status">
            {hasMore
              ? `The ${A_PAGE} most used of ${plural(query.data?.total ?? 0, 'template')}. Search for the others.`
              : plural(found.length, 'template')}
          </Text>
        </>
      )}
    </Stack>
  );
}

interface FillProps {
  template: Template;
  to: { name: string | null };
  onBack: () => void;
  onSend: (chosen: ChosenTemplate) => void;
}

function Fill({ template, to, onBack, onSend }: FillProps) {
  const { orgId } = useOrg();
  const variables = useQuery(variablesQuery(orgId, template));
  const list = variables.data ?? [];
  const own = useOwnMedia(template);
  const [typed, setTyped] = useState<Answers>({});
  const [asked, setAsked] = useState(false);
  const answers: Answers = { ...own, ...knownAnswers(list, to), ...typed };
  const values = valuesOfAnswers(list, answers);
  const missing = missingAnswers(list, answers);
  const settled = useDebounced(JSON.stringify(values), 200);
  const rendered = useQuery({
    ...previewQuery(orgId, template, JSON.parse(settled) as TemplateValues),
    enabled: variables.isSuccess,
    placeholderData: (previous) => previous,
  });
  const send = () => {
    setAsked(true);
    if (!variables.isSuccess || Object.keys(missing).length > 0) return;
    onSend({ id: template.id, values, body: rendered.data?.body ?? bodyOf(template) });
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className={classes.fill}>
        <div>
          {variables.isError ? (
            <Problem error={variables.error} onRetry={() => void variables.refetch()} />
          ) : variables.isPending ? (
            <Loader size="sm" aria-label="Loading" />
          ) : list.length === 0 ? (
            <Text c="dimmed">Nothing to fill in: it goes out as it stands.</Text>
          ) : (
            <ValueFields
              variables={list}
              answers={answers}
              problems={asked ? missing : {}}
              onChange={setTyped}
            />
          )}
          {template.category === 'marketing' && (
            <Text size="sm" c="dimmed" mt="sm">
              Marketing: WhatsApp charges for it, and it only goes to contacts who opted in.
            </Text>
          )}
        </div>
        {rendered.data ? (
          <PhonePreview rendered={rendered.data} bare />
        ) : (
          <Problem error={rendered.error} onRetry={() => void rendered.refetch()} />
        )}
      </div>
      <Group justify="space-between" mt="lg">
        <Button variant="default" leftSection={<IconArrowLeft size={18} />} onClick={onBack}>
          Other templates
        </Button>
        <Button type="submit" leftSection={<IconSend2 size={18} />} disabled={!variables.isSuccess}>
          Send template
        </Button>
      </Group>
    </form>
  );
}

/** The file that Meta looked at is what is sent, unless another one is given. */
function useOwnMedia(template: Template): Answers {
  const header = template.components.find((component) => component.type.toUpperCase() === 'HEADER');
  const media = header?.media as { path?: unknown } | undefined;
  const path = typeof media?.path === 'string' ? media.path : undefined;
  const link = useQuery({ ...lastingLinkQuery(path ?? ''), enabled: path !== undefined });
  return link.data?.startsWith('http') ? { 'header.media': link.data } : {};
}
